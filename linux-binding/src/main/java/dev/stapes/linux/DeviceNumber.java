package dev.stapes.linux;

/**
 * The number of a device; see makedev(3).
 *
 * @param major 0 to 4095
 * @param minor 0 to 1048575
 */
public record DeviceNumber(int major, int minor) {
  /**
   * @throws IllegalArgumentException if a part is out of the kernel's range
   */
  public DeviceNumber {
    if (major < 0 || major > 0xFFF || minor < 0 || minor > 0xFFFFF) {
      throw new IllegalArgumentException("no device number: " + major + ":" + minor);
    }
  }

  /** As {@code dev_t} of mknod(2) has it. */
  long encoded() {
    return (minor & 0xFF) | ((long) major << 8) | ((minor & 0xFFF00L) << 12);
  }

  @Override
  public String toString() {
    return major + ":" + minor;
  }
}
