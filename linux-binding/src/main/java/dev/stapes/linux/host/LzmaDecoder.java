package dev.stapes.linux.host;

import static dev.stapes.linux.ffi.Lzma.LZMA_BUF_ERROR;
import static dev.stapes.linux.ffi.Lzma.LZMA_CONCATENATED;
import static dev.stapes.linux.ffi.Lzma.LZMA_DATA_ERROR;
import static dev.stapes.linux.ffi.Lzma.LZMA_FINISH;
import static dev.stapes.linux.ffi.Lzma.LZMA_FORMAT_ERROR;
import static dev.stapes.linux.ffi.Lzma.LZMA_MEMLIMIT_ERROR;
import static dev.stapes.linux.ffi.Lzma.LZMA_MEM_ERROR;
import static dev.stapes.linux.ffi.Lzma.LZMA_OK;
import static dev.stapes.linux.ffi.Lzma.LZMA_OPTIONS_ERROR;
import static dev.stapes.linux.ffi.Lzma.LZMA_RUN;
import static dev.stapes.linux.ffi.Lzma.LZMA_STREAM_END;
import static dev.stapes.linux.ffi.Lzma.LZMA_TELL_UNSUPPORTED_CHECK;
import static dev.stapes.linux.ffi.Lzma.LZMA_UNSUPPORTED_CHECK;

import dev.stapes.linux.ffi.LibC;
import dev.stapes.linux.ffi.LibLzma;
import dev.stapes.linux.ffi.Lzma;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Decoder;
import dev.stapes.spi.DecoderProvider.Format;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.Objects;
import jnr.ffi.Pointer;
import org.jspecify.annotations.Nullable;

/**
 * An {@code lzma_stream} that decodes. It is one block of memory with a buffer for what goes in and
 * one for what comes out; an interrupt is noticed whenever one of them is full or empty.
 */
final class LzmaDecoder implements Decoder {
  private static final String SUBJECT = "liblzma";
  private static final int INPUT = 64 << 10;
  private static final int OUTPUT = 64 << 10;
  private static final int INPUT_AT = 4 << 10;
  private static final int OUTPUT_AT = INPUT_AT + INPUT;

  private final LibC libc;
  private final LibLzma lzma;
  private final Format format;
  private final long memory;
  private final byte[] chunk = new byte[INPUT];

  /** The stream and the buffers; null: closed. */
  private @Nullable Pointer stream;

  private @Nullable InputStream source;
  private boolean finishing;
  private boolean ended;
  private @Nullable IOException failure;

  LzmaDecoder(LibC libc, LibLzma lzma, Format format, Size memory) {
    this.libc = libc;
    this.lzma = lzma;
    this.format = format;
    this.memory = Math.max(memory.bytes(), 1);
    Pointer block = libc.malloc(OUTPUT_AT + OUTPUT);
    if (block == null) {
      throw exhausted();
    }
    block.setMemory(0, Lzma.lzma_stream_SIZEOF, (byte) 0); // LZMA_STREAM_INIT
    this.stream = block;
  }

  private static StapesException exhausted() {
    return new StapesException(
        StapesException.Kind.EXHAUSTED, SUBJECT, "there is no memory to decode with");
  }

  @Override
  public synchronized void begin(InputStream in) {
    Pointer block = open();
    source = null; // what follows may fail
    int result =
        switch (format) {
          case XZ ->
              lzma.lzma_stream_decoder(
                  block, memory, LZMA_CONCATENATED | LZMA_TELL_UNSUPPORTED_CHECK);
          case LZMA -> lzma.lzma_alone_decoder(block, memory);
        };
    if (result == LZMA_MEM_ERROR) {
      throw exhausted();
    }
    if (result != LZMA_OK) {
      throw unexpected("cannot be set up", result);
    }
    block.putLong(Lzma.lzma_stream_avail_in, 0);
    source = in;
    finishing = false;
    ended = false;
    failure = null;
  }

  private Pointer open() {
    Pointer block = stream;
    if (block == null) {
      throw new IllegalStateException("the decoder is closed");
    }
    return block;
  }

  @Override
  public synchronized int read(byte[] into, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, into.length);
    Pointer block = open();
    InputStream in = Objects.requireNonNull(source, "nothing was begun");
    if (failure != null) {
      throw failure;
    }
    if (length == 0 || ended) {
      return length == 0 ? 0 : -1;
    }
    int most = Math.min(length, OUTPUT);
    block.putAddress(Lzma.lzma_stream_next_out, block.address() + OUTPUT_AT);
    block.putLong(Lzma.lzma_stream_avail_out, most);
    while (block.getLong(Lzma.lzma_stream_avail_out) > 0 && !ended && failure == null) {
      try {
        if (Thread.currentThread().isInterrupted()) {
          throw new InterruptedIOException("interrupted");
        }
        fill(block, in);
      } catch (IOException e) {
        failure = e; // what is decoded already is given first
        break;
      }
      int result = lzma.lzma_code(block, finishing ? LZMA_FINISH : LZMA_RUN);
      ended = result == LZMA_STREAM_END;
      if (!ended && result != LZMA_OK) {
        failure = failure(block, result);
      }
    }
    int count = most - (int) block.getLong(Lzma.lzma_stream_avail_out);
    block.get(OUTPUT_AT, into, offset, count);
    if (count > 0) {
      return count; // a failure is told when everything before it was
    }
    if (failure != null) {
      throw failure;
    }
    return -1;
  }

  private void fill(Pointer block, InputStream in) throws IOException {
    if (finishing || block.getLong(Lzma.lzma_stream_avail_in) > 0) {
      return;
    }
    int count = in.read(chunk, 0, INPUT);
    if (count < 0) {
      finishing = true;
      return;
    }
    block.put(INPUT_AT, chunk, 0, count);
    block.putAddress(Lzma.lzma_stream_next_in, block.address() + INPUT_AT);
    block.putLong(Lzma.lzma_stream_avail_in, count);
  }

  /** The words are those of XZ for Java, whichever of them decodes. */
  private IOException failure(Pointer block, int result) {
    return switch (result) {
      case LZMA_BUF_ERROR -> new EOFException("Unexpected end of input");
      case LZMA_DATA_ERROR -> new IOException("Compressed data is corrupt");
      case LZMA_FORMAT_ERROR -> new IOException("Input is not in the " + format + " format");
      case LZMA_OPTIONS_ERROR ->
          new IOException("Unsupported filters or options in the " + format + " headers");
      case LZMA_UNSUPPORTED_CHECK ->
          new IOException("Unsupported Check ID " + lzma.lzma_get_check(block));
      case LZMA_MEMLIMIT_ERROR ->
          new IOException(
              ((lzma.lzma_memusage(block) + 1023) >>> 10)
                  + " KiB of memory would be needed; limit was "
                  + (memory >> 10)
                  + " KiB");
      case LZMA_MEM_ERROR -> throw exhausted();
      default -> throw unexpected("cannot decode", result);
    };
  }

  private static StapesException unexpected(String problem, int result) {
    return new StapesException(
        StapesException.Kind.INTERNAL, SUBJECT, problem + ": error " + result);
  }

  @Override
  public synchronized void close() {
    Pointer block = stream;
    if (block != null) {
      stream = null;
      lzma.lzma_end(block);
      libc.free(block);
    }
  }
}
