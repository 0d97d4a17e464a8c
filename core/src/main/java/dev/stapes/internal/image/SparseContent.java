package dev.stapes.internal.image;

import dev.stapes.model.StapesException;
import dev.stapes.spi.Tree;
import java.util.Arrays;

/** Writes what comes to a new file, and leaves out blocks of zeros. */
final class SparseContent implements Content {
  private static final int BLOCK = 4 << 10;
  private static final byte[] ZEROS = new byte[BLOCK];

  private final Tree.NewFile file;
  private long position;
  private long zeros;

  SparseContent(Tree.NewFile file) {
    this.file = file;
  }

  @Override
  public void data(Blocks.Block block, int offset, int length) {
    if (Thread.currentThread().isInterrupted()) {
      throw new StapesException(
          StapesException.Kind.INTERRUPTED, BadArchive.SUBJECT, "unpacking was interrupted");
    }
    byte[] bytes = block.bytes();
    int at = offset;
    int end = offset + length;
    int from = at; // data that has not been written
    while (at < end) {
      int step = (int) Math.min(BLOCK - (position + at - offset) % BLOCK, end - at);
      if (Arrays.equals(bytes, at, at + step, ZEROS, 0, step)) {
        write(bytes, from, at);
        zeros += step;
        from = at + step;
      }
      at += step;
    }
    write(bytes, from, end);
    position += length;
  }

  private void write(byte[] bytes, int from, int to) {
    if (to > from) {
      skip();
      file.write(bytes, from, to - from);
    }
  }

  private void skip() {
    if (zeros > 0) {
      file.skip(zeros);
      zeros = 0;
    }
  }

  @Override
  public void hole(long length) {
    zeros += length;
    position += length;
  }

  /** Behind the last byte. */
  void finish() {
    skip();
  }
}
