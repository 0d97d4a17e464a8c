package dev.stapes.qemu.driver;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * What a disk device is called in QEMU and in the guest.
 *
 * @param key its name; of a name longer than virtio-blk's serial the beginning, and a hash
 */
record DiskId(String key) {
  /** What the serial of virtio-blk holds. */
  private static final int LONGEST = 20;

  private static final int HASH_BYTES = 4;

  /** Of a device. */
  static DiskId of(String device) {
    if (device.length() <= LONGEST) {
      return new DiskId(device);
    }
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256").digest(device.getBytes(StandardCharsets.UTF_8));
      String hex = HexFormat.of().formatHex(hash, 0, HASH_BYTES);
      return new DiskId(device.substring(0, LONGEST - hex.length() - 1) + "-" + hex);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Its device and its block node, where it is a disk. */
  String disk() {
    return "disk-" + key;
  }

  /** Its throttle group, where it is a disk. */
  String throttle() {
    return "limits-disk-" + key;
  }

  /** Its device and its channel, where it is a directory. */
  String share() {
    return "share-" + key;
  }
}
