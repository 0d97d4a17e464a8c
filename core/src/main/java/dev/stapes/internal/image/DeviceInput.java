package dev.stapes.internal.image;

import java.io.IOException;
import java.io.InputStream;

/** Reads a block device from its first byte to its last. */
final class DeviceInput extends InputStream {
  private final DeviceContent device;
  private final long size;
  private long position;

  DeviceInput(DeviceContent device, long size) {
    this.device = device;
    this.size = size;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    if (position >= size) {
      return -1;
    }
    int count = device.read(position, into, offset, (int) Math.min(length, size - position));
    position += Math.max(count, 0);
    return count;
  }

  @Override
  public long skip(long count) {
    long step = Math.max(0, Math.min(count, size - position));
    position += step;
    return step;
  }

  @Override
  public void close() {
    device.close();
  }
}
