package dev.stapes.internal.image.disk;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The header of a disk of VirtualBox, block/vdi.c of QEMU. */
final class Vdi {
  static final byte[] MAGIC = {0x7f, 0x10, (byte) 0xda, (byte) 0xbe};
  static final int MAGIC_AT = 64;

  private static final int HEADER = 512;
  private static final int VERSION = 0x00010001;
  private static final int DYNAMIC = 1;
  private static final int FIXED = 2;

  private Vdi() {}

  static Disk read(DiskBytes bytes) {
    ByteBuffer header = bytes.at(0, HEADER).order(ByteOrder.LITTLE_ENDIAN);
    if (header.getInt(68) != VERSION) {
      throw bytes.wrong("is a vdi of version 0x" + Integer.toHexString(header.getInt(68)));
    }
    int type = header.getInt(76);
    boolean linked = header.getLong(424) != 0 || header.getLong(432) != 0;
    boolean child = header.getLong(440) != 0 || header.getLong(448) != 0;
    if ((type != DYNAMIC && type != FIXED) || linked || child) {
      throw bytes.wrong("holds only what differs from another disk");
    }
    long stored =
        Integer.toUnsignedLong(header.getInt(376)) * Integer.toUnsignedLong(header.getInt(388));
    if (stored < 0 || stored > bytes.size() - Integer.toUnsignedLong(header.getInt(344))) {
      // QEMU reads what is missing as zeros.
      throw bytes.wrong("ends early: after " + bytes.size() + " bytes");
    }
    return new Disk(DiskFormat.VDI, header.getLong(368));
  }
}
