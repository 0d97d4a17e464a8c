package dev.stapes.internal.image;

import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * A new file, of which blocks of zeros take no space: the copy of a disk is as small as the disk.
 */
final class SparseFile extends OutputStream {
  private static final int BLOCK = 4 << 10;
  private static final byte[] ZEROS = new byte[BLOCK];

  private final RandomAccessFile file; // not a channel: an interrupt would close it
  private long position;
  private boolean closed;

  private SparseFile(RandomAccessFile file) {
    this.file = file;
  }

  /** Makes a file that must not exist. */
  static SparseFile create(Path path) throws IOException {
    Files.createFile(path);
    return over(path);
  }

  /** Makes a file in the place of what is there. */
  static SparseFile over(Path path) throws IOException {
    RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw");
    try {
      file.setLength(0);
      return new SparseFile(file);
    } catch (IOException e) {
      file.close();
      throw e;
    }
  }

  @Override
  public void write(int value) throws IOException {
    write(new byte[] {(byte) value}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    int end = offset + length;
    int from = offset; // data that has not been written
    for (int at = offset; at < end; ) {
      int step = (int) Math.min(BLOCK - (position + at - offset) % BLOCK, end - at);
      if (Arrays.equals(bytes, at, at + step, ZEROS, 0, step)) {
        data(bytes, from, at, position + from - offset);
        from = at + step;
      }
      at += step;
    }
    data(bytes, from, end, position + from - offset);
    position += length;
  }

  private void data(byte[] bytes, int from, int to, long at) throws IOException {
    if (to > from) {
      file.seek(at);
      file.write(bytes, from, to - from);
    }
  }

  @Override
  public void close() throws IOException {
    if (!closed) {
      closed = true;
      try (file) {
        file.setLength(position);
      }
    }
  }
}
