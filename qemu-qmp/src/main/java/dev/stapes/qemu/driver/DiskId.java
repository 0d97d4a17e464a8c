package dev.stapes.qemu.driver;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Set;

/**
 * What a disk device is called in QEMU and in the guest.
 *
 * @param key its name; of a name longer than virtio-blk's serial the beginning, and a hash
 */
record DiskId(String key) {
  /** What the serial of virtio-blk holds. */
  private static final int LONGEST = 20;

  private static final int HASH_BYTES = 4;

  private static final String DISK = "disk-";
  private static final String CONTROLLER = "bus-";

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
    return DISK + key;
  }

  /** The controller that it is on, where it is on one. */
  String controller() {
    return CONTROLLER + key;
  }

  /** Whether a device of QEMU is the controller of a disk that is there. */
  static boolean isControllerOf(String device, Set<String> devices) {
    return device.startsWith(CONTROLLER)
        && devices.contains(DISK + device.substring(CONTROLLER.length()));
  }

  /** Its throttle group, where it is a disk. */
  String throttle() {
    return "limits-" + disk();
  }

  /** Its device and its channel, where it is a directory. */
  String share() {
    return "share-" + key;
  }
}
