package dev.stapes.internal.image;

import java.io.InputStream;

/** A part of a compressed file that can be decoded without what is before it. */
interface ArchivePart {
  /** Where it is in the file. */
  long position();

  /** Bytes in the file. */
  long length();

  /** Bytes of what it holds; the most that they may be where the file does not say. */
  long size();

  /** Whether it may want more memory than those before it, other than for what it holds. */
  default boolean isFirst() {
    return false;
  }

  /** Where it ends in the file. */
  default long end() {
    return position() + length();
  }

  /**
   * A whole file that holds what this does.
   *
   * @param content {@link #length} bytes from {@link #position} on
   */
  default InputStream alone(InputStream content) {
    return content;
  }
}
