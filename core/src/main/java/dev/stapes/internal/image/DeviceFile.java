package dev.stapes.internal.image;

import dev.stapes.spi.Tree;
import java.util.function.LongBinaryOperator;
import java.util.function.LongConsumer;

/** Fills a block device that reads as zeros, from its first byte on. */
final class DeviceFile implements Tree.NewFile {
  private final DeviceContent device;
  private final LongBinaryOperator more;
  private final LongConsumer whole;
  private long size;
  private long position;

  /**
   * Nothing is written yet.
   *
   * @param more given the size and what is needed, answers the new size or fails
   * @param whole told of how many bytes came when all is on disk
   */
  DeviceFile(DeviceContent device, long size, LongBinaryOperator more, LongConsumer whole) {
    this.device = device;
    this.size = size;
    this.more = more;
    this.whole = whole;
  }

  @Override
  public void write(byte[] bytes, int offset, int length) {
    requireRoom(length);
    device.write(position, bytes, offset, length);
    position += length;
  }

  @Override
  public void skip(long length) {
    requireRoom(length);
    position += length;
  }

  private void requireRoom(long length) {
    if (length > size - position) {
      size = more.applyAsLong(size, Math.addExact(position, length));
    }
  }

  @Override
  public void finish(Tree.Attributes attributes) {
    device.sync();
    device.close();
    whole.accept(position);
  }

  @Override
  public void close() {
    device.close();
  }
}
