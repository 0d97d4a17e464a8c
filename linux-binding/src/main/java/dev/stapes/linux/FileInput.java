package dev.stapes.linux;

import dev.stapes.linux.ffi.LinuxException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Objects;

/** Reads a regular file, which never waits; owns its descriptor. */
final class FileInput extends InputStream {
  private final Fd fd;

  FileInput(Fd fd) {
    this.fd = fd;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
  }

  @Override
  public int read(byte[] bytes, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, bytes.length);
    try {
      return length == 0 ? 0 : fd.read(ByteBuffer.wrap(bytes, offset, length));
    } catch (LinuxException | IllegalStateException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  @Override
  public void close() {
    fd.close();
  }
}
