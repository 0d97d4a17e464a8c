package dev.stapes.internal.image;

import dev.stapes.model.Size;
import dev.stapes.spi.Decoder;
import dev.stapes.spi.DecoderProvider.Format;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.tukaani.xz.ArrayCache;
import org.tukaani.xz.BasicArrayCache;
import org.tukaani.xz.LZMAInputStream;
import org.tukaani.xz.XZInputStream;

/** XZ for Java, where no provider decodes the format; its memory is that of the heap. */
final class JavaDecoder implements Decoder {
  private final Format format;
  private final int memoryKib;

  /** A dictionary is used again for the next stream. */
  private final ArrayCache arrays = new BasicArrayCache();

  private @Nullable InputStream source;
  private @Nullable InputStream stream;
  private @Nullable IOException failure;
  private boolean closed;

  JavaDecoder(Format format, Size memory) {
    this.format = format;
    this.memoryKib = (int) Math.min(memory.bytes() >> 10, Integer.MAX_VALUE);
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
        stream = stream(Objects.requireNonNull(source, "nothing was begun"));
      }
      return stream.read(into, offset, length);
    } catch (EOFException e) {
      EOFException told = new EOFException("Unexpected end of input");
      told.initCause(e);
      throw told;
    }
  }

  private InputStream stream(InputStream in) throws IOException {
    return switch (format) {
      case XZ -> new XZInputStream(in, memoryKib, true, arrays);
      case LZMA -> new LZMAInputStream(in, memoryKib, arrays);
    };
  }

  @Override
  public synchronized void close() {
    closed = true;
    forget();
  }

  private void forget() {
    if (stream instanceof XZInputStream xz) {
      try {
        xz.close(false);
      } catch (IOException e) {
        throw new IllegalStateException("nothing was to be closed", e);
      }
    }
    stream = null;
    source = null;
  }
}
