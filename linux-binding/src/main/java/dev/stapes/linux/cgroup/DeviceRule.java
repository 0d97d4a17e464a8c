package dev.stapes.linux.cgroup;

import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One line of the device access list. Rules apply in their order; the first usually denies all.
 *
 * @param allow whether it allows or denies
 * @param type {@code a} (all, alone), {@code b} or {@code c}
 * @param major the major number, or null for any
 * @param minor the minor number, or null for any
 * @param access a non-empty choice of {@code r}, {@code w} and {@code m} (mknod) in this order
 */
public record DeviceRule(
    boolean allow, char type, @Nullable Integer major, @Nullable Integer minor, String access) {
  private static final Pattern ACCESS = Pattern.compile("(?=.)r?w?m?");

  /** Denies every device: the first rule of a list that allows only what it names. */
  public static final DeviceRule DENY_ALL = new DeviceRule(false, 'a', null, null, "rwm");

  /** Checks the form. */
  public DeviceRule {
    boolean known = type == 'b' || type == 'c' || (type == 'a' && major == null && minor == null);
    boolean numbers = (major == null || major >= 0) && (minor == null || minor >= 0);
    if (!known || !numbers || !ACCESS.matcher(access).matches()) {
      throw new IllegalArgumentException(
          "invalid device rule \"" + text(type, major, minor, access) + "\"");
    }
  }

  /** Returns a rule that allows a character device. */
  public static DeviceRule allowChar(int major, int minor, String access) {
    return new DeviceRule(true, 'c', major, minor, access);
  }

  /** Returns a rule that allows a block device. */
  public static DeviceRule allowBlock(int major, int minor, String access) {
    return new DeviceRule(true, 'b', major, minor, access);
  }

  String file() {
    return allow ? "devices.allow" : "devices.deny";
  }

  /** Returns the kernel's form without the verb: {@code c 1:3 rwm}, or {@code a} for all. */
  String value() {
    return type == 'a' ? "a" : text(type, major, minor, access);
  }

  private static String text(
      char type, @Nullable Integer major, @Nullable Integer minor, String access) {
    return type
        + " "
        + (major == null ? "*" : major)
        + ":"
        + (minor == null ? "*" : minor)
        + " "
        + access;
  }
}
