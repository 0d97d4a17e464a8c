package dev.stapes.linux.cgroup;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The number of a block device. The kernel throttles whole disks: a partition's number is refused
 * by it.
 *
 * @param major 0 to 4095
 * @param minor 0 to 1048575
 */
public record BlockDevice(int major, int minor) {
  private static final Pattern FORM = Pattern.compile("(\\d{1,4}):(\\d{1,7})");

  /** Checks the ranges. */
  public BlockDevice {
    if (major < 0 || major > 4095 || minor < 0 || minor > 1_048_575) {
      throw new IllegalArgumentException("invalid device number \"" + major + ":" + minor + "\"");
    }
  }

  /**
   * Parses {@code major:minor}.
   *
   * @throws IllegalArgumentException if it is not that; the message quotes the value
   */
  public static BlockDevice parse(String value) {
    Matcher matcher = FORM.matcher(value);
    if (!matcher.matches()) {
      throw new IllegalArgumentException("invalid device number \"" + value + "\"");
    }
    return new BlockDevice(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)));
  }

  /** Returns {@code major:minor}. */
  @Override
  public String toString() {
    return major + ":" + minor;
  }
}
