package dev.stapes.linux;

import dev.stapes.linux.ffi.LinuxException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.Objects;

/** Writes a regular file, which never waits; owns its descriptor. */
final class FileOutput extends OutputStream {
  private final Fd fd;

  FileOutput(Fd fd) {
    this.fd = fd;
  }

  @Override
  public void write(int b) throws IOException {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, bytes.length);
    try {
      fd.write(ByteBuffer.wrap(bytes, offset, length));
    } catch (LinuxException | IllegalStateException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  @Override
  public void close() throws IOException {
    try {
      fd.close();
    } catch (LinuxException e) {
      throw new IOException(e.getMessage(), e);
    }
  }
}
