package dev.stapes.spi;

import java.io.IOException;
import java.io.InputStream;

/**
 * Decodes compressed streams, one after the other, with the same memory. For one thread at a time;
 * {@link #close} waits for a {@link #read} of another thread.
 */
public interface Decoder extends AutoCloseable {
  /**
   * Begins with a stream, from its first byte; what was left of the one before is forgotten.
   *
   * @param in is read on from where it is, also beyond the end of what is compressed; not closed
   */
  void begin(InputStream in);

  /**
   * Reads decoded bytes, as {@link InputStream#read(byte[], int, int)} does. What is behind the
   * integrity checks of the format comes with them checked; the end is told when all that the
   * format has at the end was checked.
   *
   * @throws IOException what the stream throws, {@link java.io.InterruptedIOException} where the
   *     thread was interrupted, else in plain words what is wrong with what is compressed: it is
   *     damaged, ends early, is made in a way that is not known, or wants more memory than allowed
   * @throws dev.stapes.model.StapesException EXHAUSTED where there is no memory
   */
  int read(byte[] into, int offset, int length) throws IOException;

  /** Lets go of its memory. Idempotent. */
  @Override
  void close();
}
