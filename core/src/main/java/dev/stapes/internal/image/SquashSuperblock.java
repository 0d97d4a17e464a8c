package dev.stapes.internal.image;

import dev.stapes.model.StapesException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The first bytes of a squashfs file system, version 4.0, as the kernel's {@code squashfs_fs.h} has
 * them.
 *
 * @param blockSize of files, 4 KiB to 1 MiB
 * @param fragments how many blocks of file ends there are
 * @param compressor how blocks are compressed
 * @param ids how many uids and gids are used
 * @param root where the inode of the root directory is
 * @param idTable where each table is; that of fragments and attributes: {@link #NONE} without any
 */
record SquashSuperblock(
    int blockSize,
    long fragments,
    SquashCodec compressor,
    int ids,
    long root,
    long idTable,
    long xattrTable,
    long inodeTable,
    long directoryTable,
    long fragmentTable) {
  /** Bytes of it. */
  static final int LENGTH = 96;

  /** There is no such table. */
  static final long NONE = -1;

  private static final int MAGIC = 0x73717368;
  private static final int VERSION = 4;
  private static final int SMALLEST_LOG = 12;
  private static final int LARGEST_LOG = 20;

  /** Whether a file begins like one. */
  static boolean isMagic(byte[] start) {
    return start.length >= Integer.BYTES
        && ByteBuffer.wrap(start).order(ByteOrder.LITTLE_ENDIAN).getInt() == MAGIC;
  }

  /**
   * Reads it.
   *
   * @param bytes the first {@link #LENGTH} ones
   * @throws StapesException INVALID; UNSUPPORTED for a version or compression that is not read
   */
  static SquashSuperblock read(byte[] bytes) {
    ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    if (in.getInt() != MAGIC) {
      throw BadArchive.because("is no squashfs file system");
    }
    in.getInt(); // inodes
    in.getInt(); // time
    int blockSize = in.getInt();
    long fragments = Integer.toUnsignedLong(in.getInt());
    int compressor = Short.toUnsignedInt(in.getShort());
    int blockLog = Short.toUnsignedInt(in.getShort());
    in.getShort(); // flags
    int ids = Short.toUnsignedInt(in.getShort());
    int major = Short.toUnsignedInt(in.getShort());
    int minor = Short.toUnsignedInt(in.getShort());
    if (major != VERSION || minor != 0) {
      throw new StapesException(
          StapesException.Kind.UNSUPPORTED,
          BadArchive.SUBJECT,
          "is squashfs of version " + major + "." + minor + ": only 4.0 can be read");
    }
    if (blockLog < SMALLEST_LOG || blockLog > LARGEST_LOG || blockSize != 1 << blockLog) {
      throw BadArchive.because("has an impossible block size: " + blockSize);
    }
    long root = in.getLong();
    in.getLong(); // bytes used
    long idTable = in.getLong();
    long xattrTable = in.getLong();
    long inodeTable = in.getLong();
    long directoryTable = in.getLong();
    return new SquashSuperblock(
        blockSize,
        fragments,
        SquashCodec.of(compressor),
        ids,
        root,
        idTable,
        xattrTable,
        inodeTable,
        directoryTable,
        in.getLong());
  }
}
