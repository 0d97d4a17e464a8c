package dev.stapes.linux.cgroup;

import org.jspecify.annotations.Nullable;

/**
 * All hard I/O limits of one device; what is null is unlimited.
 *
 * @param device the disk
 * @param readBytes bytes a second, at least 1
 * @param writeBytes bytes a second, at least 1
 * @param readOperations operations a second, 1 to 4294967295
 * @param writeOperations operations a second, 1 to 4294967295
 */
public record IoThrottle(
    BlockDevice device,
    @Nullable Long readBytes,
    @Nullable Long writeBytes,
    @Nullable Long readOperations,
    @Nullable Long writeOperations) {

  // The kernel keeps operations in 32 bits; cgroup v1 cuts a bigger number off in silence.
  private static final long MAX_OPERATIONS = 0xFFFF_FFFFL;

  /** Checks the ranges. */
  public IoThrottle {
    check(device, "bytes read", readBytes, Long.MAX_VALUE);
    check(device, "bytes written", writeBytes, Long.MAX_VALUE);
    check(device, "reads", readOperations, MAX_OPERATIONS);
    check(device, "writes", writeOperations, MAX_OPERATIONS);
  }

  /** Returns the statement that the device has no limit. */
  public static IoThrottle unlimited(BlockDevice device) {
    return new IoThrottle(device, null, null, null, null);
  }

  private static void check(BlockDevice device, String what, @Nullable Long value, long max) {
    if (value != null && (value < 1 || value > max)) {
      throw new IllegalArgumentException(
          "invalid limit of "
              + what
              + " a second on "
              + device
              + ": "
              + value
              + " is not within 1-"
              + max);
    }
  }
}
