package dev.stapes.storage.lvm;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A version of LVM.
 *
 * @param major such as 2
 * @param minor such as 3, written 03
 * @param patch such as 16
 */
record LvmVersion(int major, int minor, int patch) implements Comparable<LvmVersion> {
  /** The first that looks at the file system of what it makes smaller, see lvreduce(8). */
  static final LvmVersion LOOKS = new LvmVersion(2, 3, 17);

  private static final Pattern LINE =
      Pattern.compile("(?m)^\\s*LVM version:\\s+(\\d{1,4})\\.(\\d{1,4})\\.(\\d{1,4})");

  /** Of what {@code lvm version} writes; empty where it does not say. */
  static Optional<LvmVersion> of(String text) {
    Matcher matcher = LINE.matcher(text);
    return matcher.find()
        ? Optional.of(
            new LvmVersion(
                Integer.parseInt(matcher.group(1)),
                Integer.parseInt(matcher.group(2)),
                Integer.parseInt(matcher.group(3))))
        : Optional.empty();
  }

  @Override
  public int compareTo(LvmVersion other) {
    int byMajor = Integer.compare(major, other.major);
    int byMinor = byMajor != 0 ? byMajor : Integer.compare(minor, other.minor);
    return byMinor != 0 ? byMinor : Integer.compare(patch, other.patch);
  }

  /** As LVM writes it. */
  @Override
  public String toString() {
    return major + (minor < 10 ? ".0" : ".") + minor + "." + patch;
  }
}
