package dev.stapes.storage.lvm;

import dev.stapes.model.StapesException;
import java.util.UUID;
import java.util.regex.Pattern;

/** Names of groups and logical volumes; see the section on valid names of lvm(8). */
final class LvmNames {
  /** LVM allows 127 for the name of a device, of which the group's is a part. */
  private static final int MOST = 60;

  private static final Pattern GROUP = Pattern.compile("[a-zA-Z0-9+_.][a-zA-Z0-9+_.-]*");

  private LvmNames() {}

  /**
   * Checks the name of a volume group that somebody gave, before it is part of a command.
   *
   * @throws StapesException INVALID
   */
  static String group(String subject, String name) {
    boolean fits = name.length() <= MOST && GROUP.matcher(name).matches();
    if (!fits || name.equals(".") || name.equals("..")) {
      throw StapesException.invalid(
          subject,
          "neither an absolute path nor a name of a volume group of at most "
              + MOST
              + " letters, digits, +, _, . and -: \""
              + name
              + "\"");
    }
    return name;
  }

  /** A name that nothing else has: a group's, a thin pool's, a pool's mark. */
  static String fresh() {
    return "stapes_" + hex();
  }

  /** The name of a volume that nothing else has; what it is stands in its tags. */
  static String freshVolume() {
    return "v" + hex();
  }

  private static String hex() {
    return UUID.randomUUID().toString().replace("-", "");
  }
}
