package dev.stapes.storage.zfs;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** What may be wiped off a device that a pool was to be made on. */
class DeviceVdevTest {
  private static final int START = 1 << 20;

  private static ByteBuffer with(int at, byte[] bytes) {
    ByteBuffer start = ByteBuffer.allocate(START);
    start.put(at, bytes);
    return start;
  }

  private static ByteBuffer with(int at, String text) {
    return with(at, text.getBytes(StandardCharsets.US_ASCII));
  }

  @Test
  void what_is_of_zfs_or_blank_is() {
    assertTrue(DeviceVdev.isOfZfs(ByteBuffer.allocate(START)));
    assertTrue(DeviceVdev.isOfZfs(ByteBuffer.allocate(4096)));
    byte[] name = "zfs-0123456789abcdef".getBytes(StandardCharsets.UTF_16LE);
    assertTrue(DeviceVdev.isOfZfs(with(1024 + 56, name)));
    for (ByteOrder order : new ByteOrder[] {ByteOrder.BIG_ENDIAN, ByteOrder.LITTLE_ENDIAN}) {
      byte[] magic = ByteBuffer.allocate(8).order(order).putLong(0x0210da7ab10c7a11L).array();
      assertTrue(DeviceVdev.isOfZfs(with((16 << 10) - 40, magic)));
    }
  }

  /** Where each says who it is; before that there may be zeros. */
  @Test
  void what_somebody_else_has_written_is_not() {
    assertFalse(DeviceVdev.isOfZfs(with(510, new byte[] {0x55, (byte) 0xaa})), "a boot sector");
    assertFalse(DeviceVdev.isOfZfs(with(1080, new byte[] {0x53, (byte) 0xef})), "ext4");
    assertFalse(DeviceVdev.isOfZfs(with((32 << 10) + 1, "CD001")), "ISO 9660");
    assertFalse(DeviceVdev.isOfZfs(with(32 << 10, "JFS1")), "JFS");
    assertFalse(DeviceVdev.isOfZfs(with((64 << 10) + 64, "_BHRfS_M")), "Btrfs");
    assertFalse(DeviceVdev.isOfZfs(with(START - 1, "x")), "anything");
  }
}
