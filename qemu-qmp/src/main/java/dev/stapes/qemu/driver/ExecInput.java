package dev.stapes.qemu.driver;

import dev.stapes.linux.UnixSocket;
import dev.stapes.linux.ffi.LinuxException;
import java.io.IOException;
import java.io.OutputStream;

/**
 * What a program in a guest reads. Closing it says that no more comes, and leaves the socket: QEMU
 * drops what it has not read yet of one that is closed.
 */
final class ExecInput extends OutputStream {
  private final UnixSocket socket;
  private final OutputStream out;
  private volatile boolean closed;

  ExecInput(UnixSocket socket) {
    this.socket = socket;
    this.out = socket.fd().output();
  }

  @Override
  public void write(int b) throws IOException {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    if (closed) {
      throw new IOException("it is closed");
    }
    out.write(bytes, offset, length);
  }

  @Override
  public void close() throws IOException {
    if (closed) {
      return;
    }
    closed = true;
    try {
      if (socket.fd().isOpen()) {
        socket.shutdownOutput();
      }
    } catch (LinuxException | IllegalStateException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  /** Frees the socket, and ends a write that is under way. */
  void free() throws IOException {
    closed = true;
    out.close();
  }
}
