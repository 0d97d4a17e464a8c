package dev.stapes.lxc.ffi;

import java.util.Comparator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A version of liblxc.
 *
 * @param major at least 0
 * @param minor at least 0
 * @param micro at least 0
 */
public record LxcVersion(int major, int minor, int micro) implements Comparable<LxcVersion> {
  /** The oldest version whose {@code struct lxc_container} has every member that is used here. */
  public static final LxcVersion OLDEST = new LxcVersion(4, 0, 12);

  private static final Pattern FORM =
      Pattern.compile("(\\d{1,6})\\.(\\d{1,6})(?:\\.(\\d{1,6}))?(?:[-~+].*)?");
  private static final Comparator<LxcVersion> ORDER =
      Comparator.comparingInt(LxcVersion::major)
          .thenComparingInt(LxcVersion::minor)
          .thenComparingInt(LxcVersion::micro);

  /** Refuses negative numbers. */
  public LxcVersion {
    if (major < 0 || minor < 0 || micro < 0) {
      throw new IllegalArgumentException("negative version: " + major + "." + minor + "." + micro);
    }
  }

  /**
   * Reads what {@code lxc_get_version} answers, such as {@code 5.0.2} or {@code 6.0.0-devel}.
   *
   * @throws IllegalArgumentException where the text is no version, quoting it
   */
  public static LxcVersion parse(String text) {
    Matcher matcher = FORM.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException("not a version of liblxc: \"" + text + "\"");
    }
    String micro = matcher.group(3);
    return new LxcVersion(
        Integer.parseInt(matcher.group(1)),
        Integer.parseInt(matcher.group(2)),
        micro == null ? 0 : Integer.parseInt(micro));
  }

  /** Whether this version is the other one or newer. */
  public boolean isAtLeast(LxcVersion other) {
    return compareTo(other) >= 0;
  }

  @Override
  public int compareTo(LxcVersion other) {
    return ORDER.compare(this, other);
  }

  @Override
  public String toString() {
    return major + "." + minor + "." + micro;
  }
}
