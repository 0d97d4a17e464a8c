package dev.stapes.internal.image;

import com.github.luben.zstd.ZstdInputStreamNoFinalizer;
import dev.stapes.model.Size;
import dev.stapes.spi.Decoder;
import dev.stapes.spi.DecoderProvider.Format;
import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.Objects;
import org.apache.commons.compress.compressors.gzip.GzipCompressorInputStream;
import org.jspecify.annotations.Nullable;
import org.tukaani.xz.ArrayCache;
import org.tukaani.xz.BasicArrayCache;
import org.tukaani.xz.LZMAInputStream;
import org.tukaani.xz.XZInputStream;

/**
 * Decodes by a stream of a library: XZ for Java, where no provider decodes the format, and the
 * parts of files in other formats.
 */
final class JavaDecoder implements Decoder {
  private final Opening opening;

  private @Nullable InputStream source;
  private @Nullable InputStream stream;
  private @Nullable IOException failure;
  private boolean closed;

  /** Opens what decodes a stream; it takes no more memory than the caller has allowed. */
  private interface Opening {
    InputStream open(InputStream in) throws IOException;
  }

  private JavaDecoder(Opening opening) {
    this.opening = opening;
  }

  /** XZ for Java; its memory, which is used again for the next stream, is that of the heap. */
  static JavaDecoder of(Format format, Size memory) {
    int kib = (int) Math.min(memory.bytes() >> 10, Integer.MAX_VALUE);
    ArrayCache arrays = new BasicArrayCache();
    return switch (format) {
      case XZ -> new JavaDecoder(in -> new XZInputStream(in, kib, true, arrays));
      case LZMA -> new JavaDecoder(in -> new LZMAInputStream(in, kib, arrays));
    };
  }

  /** zstd; whose window is known to be small enough. */
  static JavaDecoder zstd() {
    return new JavaDecoder(ZstdInputStreamNoFinalizer::new);
  }

  /** gzip, of one or several members. */
  static JavaDecoder gzip() {
    return new JavaDecoder(
        in ->
            GzipCompressorInputStream.builder()
                .setInputStream(in)
                .setDecompressConcatenated(true)
                .get());
  }

  @Override
  public synchronized void begin(InputStream in) {
    requireOpen();
    forget();
    source = in;
    failure = null;
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the decoder is closed");
    }
  }

  @Override
  public synchronized int read(byte[] into, int offset, int length) throws IOException {
    requireOpen();
    if (failure != null) {
      throw failure;
    }
    try {
      return decode(into, offset, length);
    } catch (IOException e) {
      failure = e;
      throw e;
    }
  }

  private int decode(byte[] into, int offset, int length) throws IOException {
    if (Thread.currentThread().isInterrupted()) {
      throw new InterruptedIOException("interrupted");
    }
    try {
      if (stream == null) {
        InputStream in = Objects.requireNonNull(source, "nothing was begun");
        stream = opening.open(new Kept(in));
      }
      return stream.read(into, offset, length);
    } catch (EOFException e) {
      EOFException told = new EOFException("Unexpected end of input");
      told.initCause(e);
      throw told;
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    forget();
  }

  private void forget() {
    try {
      if (stream != null) {
        stream.close();
      }
    } catch (IOException e) {
      throw new IllegalStateException("nothing was to be written", e);
    }
    stream = null;
    source = null;
  }

  /** Stays open. */
  private static final class Kept extends FilterInputStream {
    Kept(InputStream in) {
      super(in);
    }

    @Override
    public void close() {
      // It is the caller's.
    }
  }
}
