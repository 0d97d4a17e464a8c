package dev.stapes.internal.image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Reads metadata of a squashfs file system, which goes on from block to block. Little-endian. */
final class SquashCursor {
  private static final int OFFSET_BITS = 16;

  private final SquashFile file;
  private SquashFile.Metadata block;
  private int offset;

  /**
   * Stands at a byte.
   *
   * @param position of the block in the file
   * @param offset in what it holds
   */
  SquashCursor(SquashFile file, long position, int offset) {
    this.file = file;
    this.block = file.metadata(position);
    this.offset = offset;
    if (offset > block.data().length) {
      throw BadArchive.because("refers to what is behind the end of its metadata");
    }
  }

  /** Stands where a reference of the file system leads, in a table that begins at a place. */
  static SquashCursor at(SquashFile file, long table, long reference) {
    long block = reference >>> OFFSET_BITS;
    return new SquashCursor(file, table + block, (int) (reference & 0xffff));
  }

  byte[] bytes(int count) {
    byte[] bytes = new byte[count];
    int done = 0;
    while (done < count) {
      if (offset == block.data().length) {
        block = file.metadata(block.next());
        offset = 0;
      }
      int step = Math.min(count - done, block.data().length - offset);
      System.arraycopy(block.data(), offset, bytes, done, step);
      offset += step;
      done += step;
    }
    return bytes;
  }

  void skip(int count) {
    bytes(count);
  }

  int u16() {
    return littleEndian(bytes(Short.BYTES)).getShort() & 0xffff;
  }

  long u32() {
    return Integer.toUnsignedLong(littleEndian(bytes(Integer.BYTES)).getInt());
  }

  /** As signed as Java has it: what is too large becomes negative. */
  long u64() {
    return littleEndian(bytes(Long.BYTES)).getLong();
  }

  /** Numbers as a squashfs file system has them. */
  static ByteBuffer littleEndian(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
