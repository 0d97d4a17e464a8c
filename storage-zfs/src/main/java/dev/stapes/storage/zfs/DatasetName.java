package dev.stapes.storage.zfs;

import dev.stapes.model.StapesException;
import java.util.regex.Pattern;

/**
 * The name of a dataset, checked: what bears it can be an argument of {@code zfs} without being
 * taken for an option, a snapshot or a list. Narrower than zfs(7): no component begins with
 * anything but a letter or digit, and there are no blanks.
 *
 * @param text such as {@code tank/data}
 */
record DatasetName(String text) implements Comparable<DatasetName> {
  /** ZFS_MAX_DATASET_NAME_LEN of OpenZFS, without the NUL; snapshots count too. */
  static final int LIMIT = 255;

  private static final String COMPONENT = "[A-Za-z0-9][A-Za-z0-9_.:-]*";
  private static final Pattern NAME = Pattern.compile(COMPONENT + "(/" + COMPONENT + ")*");
  private static final Pattern PART = Pattern.compile(COMPONENT);

  /** What zpool-create(8) does not allow as, or at the begin of, the name of a pool. */
  private static final Pattern RESERVED =
      Pattern.compile("[^A-Za-z].*|(mirror|raidz|draid|spare).*|log");

  /** Refuses what is no such name. */
  DatasetName {
    requireShort(text);
    if (!NAME.matcher(text).matches()) {
      throw StapesException.invalid("dataset", "not a name of a dataset: \"" + text + "\"");
    }
  }

  /** Whether a text can be the name of a dataset. */
  static boolean isName(String text) {
    return text.length() <= LIMIT && NAME.matcher(text).matches();
  }

  /** A pool's own dataset, of a name that a new pool can have. */
  static DatasetName ofNewPool(String name) {
    if (!PART.matcher(name).matches() || RESERVED.matcher(name).matches()) {
      throw StapesException.invalid("zpool", "not a name of a new pool: \"" + name + "\"");
    }
    return new DatasetName(name);
  }

  /** One below this. */
  DatasetName child(String component) {
    return new DatasetName(text + "/" + component);
  }

  /** The last part of it. */
  String component() {
    return text.substring(text.lastIndexOf('/') + 1);
  }

  /** A snapshot of this, of the name that {@code zfs} takes. */
  String snapshot(String component) {
    if (!PART.matcher(component).matches()) {
      throw StapesException.invalid(
          "dataset " + text, "not a name of a snapshot: \"" + component + "\"");
    }
    return requireShort(text + "@" + component);
  }

  /** The pool that it is in. */
  String zpool() {
    int slash = text.indexOf('/');
    return slash < 0 ? text : text.substring(0, slash);
  }

  private static String requireShort(String name) {
    if (name.length() > LIMIT) {
      throw StapesException.invalid(
          "dataset",
          "a name of ZFS has "
              + LIMIT
              + " characters at most: \""
              + name
              + "\" has "
              + name.length());
    }
    return name;
  }

  @Override
  public int compareTo(DatasetName other) {
    return text.compareTo(other.text);
  }

  @Override
  public String toString() {
    return text;
  }
}
