package dev.stapes.internal.image.disk;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The begins of disks of 1 MiB, as QEMU writes them. */
final class Headers {
  static final String VMDK =
      """
      # Disk DescriptorFile
      version=1
      CID=1234abcd
      parentCID=ffffffff
      createType="monolithicSparse"

      RW 2048 SPARSE "disk.vmdk"
      # nothing
      """;

  private static final int SIZE = 1 << 20;

  private Headers() {}

  static byte[] qcow2() {
    ByteBuffer header = ByteBuffer.allocate(512);
    header.put(Qcow2.MAGIC).putInt(3);
    header.putInt(20, 16).putLong(24, SIZE).putInt(100, 104);
    return header.array();
  }

  static byte[] vmdk() {
    return vmdk(VMDK, SIZE / 512);
  }

  static byte[] vmdk(String description, long sectors) {
    ByteBuffer header = ByteBuffer.allocate(64 << 10).order(ByteOrder.LITTLE_ENDIAN);
    header.put(Vmdk.MAGIC).putInt(1);
    header.putLong(12, sectors).putLong(28, 1).putLong(36, 20);
    return header.put(512, description.getBytes(US_ASCII)).array();
  }

  static byte[] vdi() {
    ByteBuffer header = ByteBuffer.allocate(512).order(ByteOrder.LITTLE_ENDIAN);
    header.put(Vdi.MAGIC_AT, Vdi.MAGIC).putInt(68, 0x00010001).putInt(76, 1).putInt(376, 1 << 20);
    return header.putLong(368, SIZE).array();
  }

  /** A fixed one, of two sectors. */
  static byte[] vhd() {
    ByteBuffer disk = ByteBuffer.allocate(1024 + 512);
    disk.put(1024, "conectix".getBytes(US_ASCII));
    return disk.putLong(1024 + 48, 1024).putInt(1024 + 60, 2).array();
  }

  static byte[] vhdx() {
    return vhdx(0);
  }

  static byte[] vhdx(int flags) {
    ByteBuffer disk = ByteBuffer.allocate(512 << 10).order(ByteOrder.LITTLE_ENDIAN);
    disk.put(Vhdx.MAGIC);
    int regions = 192 << 10;
    int metadata = 256 << 10;
    disk.putInt(regions + 8, 1);
    uuid(disk, regions + 16, 0x8b7ca206, 0x4790, 0x4b9a, 0xb8fe575f050f886eL);
    disk.putLong(regions + 32, metadata);
    disk.putShort(metadata + 10, (short) 2);
    uuid(disk, metadata + 32, 0xcaa16737, 0xfa36, 0x4d43, 0xb3b633f0aa44e76bL);
    disk.putInt(metadata + 48, 4096).putInt(metadata + 4100, flags);
    uuid(disk, metadata + 64, 0x2fa54224, 0xcd1b, 0x4876, 0xb2115dbed83bf4b8L);
    disk.putInt(metadata + 80, 8192).putLong(metadata + 8192, SIZE);
    return disk.array();
  }

  private static void uuid(ByteBuffer disk, int at, int first, int second, int third, long rest) {
    disk.putInt(at, first).putShort(at + 4, (short) second).putShort(at + 6, (short) third);
    disk.putLong(at + 8, Long.reverseBytes(rest));
  }
}
