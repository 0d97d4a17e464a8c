package dev.stapes.linux;

import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Objects;

/** Reads a descriptor; closing it from another thread ends a read that waits. */
final class FdInput extends InputStream {
  private static final int CHUNK = 64 * 1024;

  private final Fd fd;
  private final CloseableWait wait;
  private final ByteBuffer buffer = Syscalls.buffer(CHUNK);

  FdInput(Syscalls sys, Fd fd) {
    this.fd = fd;
    this.wait = new CloseableWait(sys, fd);
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
  }

  @Override
  public int read(byte[] bytes, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, bytes.length);
    if (length == 0) {
      return 0;
    }
    return wait.during(
        () -> {
          int count = readOnce(Math.min(length, CHUNK));
          if (count > 0) {
            buffer.flip().get(bytes, offset, count);
          }
          return count;
        });
  }

  private int readOnce(int length) throws IOException {
    while (true) {
      wait.until(Constants.POLLIN);
      try {
        buffer.clear().limit(length);
        return fd.read(buffer);
      } catch (LinuxException e) {
        if (e.errno() == Errno.EIO) {
          return -1; // a terminal whose last slave has been closed says so
        }
        if (e.errno() != Errno.EAGAIN) {
          throw new IOException(e.getMessage(), e);
        }
      }
    }
  }

  @Override
  public void close() {
    wait.close();
  }
}
