package dev.stapes.linux.cgroup;

import java.nio.file.Path;

/**
 * One value for one file of a group.
 *
 * @param limit the limit that it is part of
 * @param hierarchy where the file is
 * @param directory the directory of the group, or of a group within it
 * @param file the file's name: {@code memory.max}
 * @param value what to write, in one write
 */
public record Setting(Limit limit, Hierarchy hierarchy, Path directory, String file, String value) {

  /** Returns the file. */
  public Path path() {
    return directory.resolve(file);
  }
}
