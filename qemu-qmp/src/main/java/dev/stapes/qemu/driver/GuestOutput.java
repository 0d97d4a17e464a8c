package dev.stapes.qemu.driver;

import dev.stapes.model.StapesException;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Arrays;

/** Writes a file of a guest that is open in its shell. */
final class GuestOutput extends OutputStream {
  private static final int FIRST = 16 << 10;

  private final GuestShell shell;
  private final String path;
  private final int file;
  private byte[] chunk = new byte[FIRST];
  private int filled;
  private boolean closed;

  GuestOutput(GuestShell shell, String path, int file) {
    this.shell = shell;
    this.path = path;
    this.file = file;
  }

  @Override
  public void write(int b) throws IOException {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int at, int length) throws IOException {
    if (closed) {
      throw new IOException("file " + path + ": it is closed");
    }
    int done = 0;
    while (done < length) {
      if (filled == chunk.length) {
        makeRoom();
      }
      int count = Math.min(length - done, chunk.length - filled);
      System.arraycopy(bytes, at + done, chunk, filled, count);
      filled += count;
      done += count;
    }
  }

  private void makeRoom() throws IOException {
    if (chunk.length < GuestShell.CHUNK) {
      chunk = Arrays.copyOf(chunk, chunk.length * 2);
    } else {
      flush();
    }
  }

  @Override
  public void flush() throws IOException {
    int length = filled;
    filled = 0;
    if (length > 0) {
      doing(() -> shell.put(path, file, chunk, length));
    }
  }

  @Override
  public void close() throws IOException {
    if (closed) {
      return;
    }
    closed = true;
    try {
      flush();
    } finally {
      if (!shell.isBroken()) {
        doing(() -> shell.shut(path, file));
      }
    }
  }

  private static void doing(Runnable body) throws IOException {
    try {
      body.run();
    } catch (StapesException e) {
      throw new IOException(e.getMessage(), e);
    }
  }
}
