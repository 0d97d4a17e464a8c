package dev.stapes.qemu.driver;

import dev.stapes.model.StapesException;
import java.io.IOException;
import java.io.InputStream;

/** Reads a file of a guest that is open in its shell. */
final class GuestInput extends InputStream {
  private static final int LEAST = 4096;

  private final GuestShell shell;
  private final String path;
  private final int file;
  private final long size;
  private byte[] chunk = new byte[0];
  private int next;
  private int end;
  private long offset;
  private boolean ended;
  private boolean closed;

  /**
   * A stream.
   *
   * @param size what the file had when it was opened, or 0 where that says nothing, as in proc(5)
   */
  GuestInput(GuestShell shell, String path, int file, long size) {
    this.shell = shell;
    this.path = path;
    this.file = file;
    this.size = size;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
  }

  @Override
  public int read(byte[] bytes, int at, int length) throws IOException {
    if (closed) {
      throw new IOException("file " + path + ": it is closed");
    }
    if (length == 0) {
      return 0;
    }
    if (next == end && (ended || !more())) {
      return -1;
    }
    int count = Math.min(length, end - next);
    System.arraycopy(chunk, next, bytes, at, count);
    next += count;
    return count;
  }

  @Override
  public int available() {
    return end - next;
  }

  /** One byte more than it should have shows that there are no more. */
  private boolean more() throws IOException {
    long wanted = Math.max(size - offset + 1, LEAST);
    int length = (int) Math.min(wanted, GuestShell.CHUNK);
    if (chunk.length != length) {
      chunk = new byte[length];
    }
    long position;
    try {
      position = shell.get(path, file, chunk, offset);
    } catch (StapesException e) {
      throw new IOException(e.getMessage(), e);
    }
    next = 0;
    end = (int) (position - offset);
    offset = position;
    ended = end == 0 || (size > 0 && offset >= size && end < length);
    return end > 0;
  }

  @Override
  public void close() throws IOException {
    if (closed) {
      return;
    }
    closed = true;
    if (!shell.isBroken()) {
      try {
        shell.shut(path, file);
      } catch (StapesException e) {
        throw new IOException(e.getMessage(), e);
      }
    }
  }
}
