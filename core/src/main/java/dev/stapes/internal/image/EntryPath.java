package dev.stapes.internal.image;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The checked name of an archive entry.
 *
 * @param names of the directories and the thing itself; empty: the root of the archive
 */
record EntryPath(List<String> names) {
  private static final String ROOTFS = "rootfs";

  EntryPath {
    names = List.copyOf(names);
  }

  /**
   * Checks a name. Single dots and doubled slashes are harmless and dropped; everything that could
   * mean a place outside is an error.
   */
  static EntryPath of(String name, ArchiveLimits limits) {
    if (name.startsWith("/")) {
      throw BadArchive.entry(name, "an absolute name");
    }
    if (name.indexOf('\0') >= 0) {
      throw BadArchive.entry(name, "a NUL in the name");
    }
    List<String> names = new ArrayList<>();
    for (String part : name.split("/", -1)) {
      if (part.equals("..")) {
        throw BadArchive.entry(name, "leaves the archive by \"..\"");
      }
      if (part.isEmpty() || part.equals(".")) {
        continue;
      }
      if (part.getBytes(StandardCharsets.UTF_8).length > ArchiveLimits.NAME_BYTES) {
        throw BadArchive.entry(
            name, "a part of its name has more than " + ArchiveLimits.NAME_BYTES + " bytes");
      }
      names.add(part);
    }
    if (names.size() > limits.depth()) {
      throw BadArchive.entry(name, "deeper than the allowed " + limits.depth() + " directories");
    }
    return new EntryPath(names);
  }

  /** The same for an archive that is nothing but a root file system. */
  static EntryPath ofRootfs(String name, ArchiveLimits limits) {
    List<String> names = new ArrayList<>(List.of(ROOTFS));
    names.addAll(of(name, limits).names());
    return new EntryPath(names);
  }

  /** Whether it is the root file system or in it. */
  boolean isRootfs() {
    return !names.isEmpty() && names.get(0).equals(ROOTFS);
  }

  /** Whether it is this one thing beside the root file system. */
  boolean is(String name) {
    return names.size() == 1 && names.get(0).equals(name);
  }

  /** The path in the root file system, such as {@code etc/passwd}; of itself: empty. */
  String inRootfs() {
    return String.join("/", names.subList(1, names.size()));
  }

  /** Whether it is below the given directory of the root file system. */
  boolean isBelow(String directory) {
    return names.size() > 2 && names.get(1).equals(directory);
  }
}
