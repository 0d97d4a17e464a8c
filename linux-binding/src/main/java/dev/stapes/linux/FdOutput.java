package dev.stapes.linux;

import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Syscalls;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.Objects;

/** Writes to a descriptor; closing it from another thread ends a write that waits. */
final class FdOutput extends OutputStream {
  private static final int CHUNK = 64 * 1024;

  private final Syscalls sys;
  private final Fd fd;
  private final CloseableWait wait;
  private final ByteBuffer buffer = Syscalls.buffer(CHUNK);

  FdOutput(Syscalls sys, Fd fd) {
    this.sys = sys;
    this.fd = fd;
    fd.blocking(false);
    this.wait = new CloseableWait(sys, fd);
  }

  @Override
  public void write(int b) throws IOException {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, bytes.length);
    wait.during(
        () -> {
          for (int done = 0; done < length; ) {
            int size = Math.min(length - done, CHUNK);
            buffer.clear().put(bytes, offset + done, size).flip();
            drain();
            done += size;
          }
          return length;
        });
  }

  private void drain() throws IOException {
    while (buffer.hasRemaining()) {
      wait.until(Constants.POLLOUT);
      long count = sys.libc().write(fd.number(), buffer, buffer.remaining());
      int result = sys.checkUnless((int) count, "write", fd, CloseableWait.TRY_AGAIN);
      if (result > 0) {
        buffer.position(buffer.position() + result);
      }
    }
  }

  @Override
  public void close() {
    wait.close();
  }
}
