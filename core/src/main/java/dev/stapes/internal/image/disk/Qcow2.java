package dev.stapes.internal.image.disk;

import java.nio.ByteBuffer;

/** The header of a qcow2 file, docs/interop/qcow2.txt of QEMU. */
final class Qcow2 {
  static final byte[] MAGIC = {'Q', 'F', 'I', (byte) 0xfb};

  private static final int V2_HEADER = 72;
  private static final int V3_HEADER = 104;

  private static final long CORRUPT = 1 << 1;
  private static final long DATA_FILE = 1 << 2;

  /** Dirty, corrupt, data file, type of compression, extended entries of the second level. */
  private static final long KNOWN = 0x1f;

  private Qcow2() {}

  static Disk read(DiskBytes bytes) {
    ByteBuffer header = bytes.at(0, V2_HEADER);
    int version = header.getInt(4);
    if (version != 2 && version != 3) {
      throw bytes.wrong("is qcow of version " + Integer.toUnsignedString(version) + ", not 2 or 3");
    }
    if (header.getLong(8) != 0 || header.getInt(16) != 0) {
      throw bytes.wrong("has a backing file: it is only a part of a disk");
    }
    int clusterBits = header.getInt(20);
    if (clusterBits < 9 || clusterBits > 21) {
      throw bytes.wrong("has clusters of 2^" + clusterBits + " bytes");
    }
    if (header.getInt(32) != 0) {
      throw bytes.wrong("is encrypted");
    }
    if (version == 3) {
      requireKnown(bytes.at(0, V3_HEADER).getLong(72), bytes);
    }
    return new Disk(DiskFormat.QCOW2, header.getLong(24));
  }

  private static void requireKnown(long incompatible, DiskBytes bytes) {
    if ((incompatible & DATA_FILE) != 0) {
      throw bytes.wrong("has its data in another file: it is only a part of a disk");
    }
    if ((incompatible & CORRUPT) != 0) {
      throw bytes.wrong("says that it is corrupt");
    }
    if ((incompatible & ~KNOWN) != 0) {
      throw bytes.wrong(
          "has features that are not known: 0x" + Long.toHexString(incompatible & ~KNOWN));
    }
  }
}
