package dev.stapes.linux.host;

import dev.stapes.linux.MountTable;
import dev.stapes.linux.MountTable.Mount;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Finds the {@code cgroup.procs} file of a group that a process is in; cgroups(7). */
final class CgroupProcs {
  private CgroupProcs() {}

  /**
   * Finds one in any hierarchy.
   *
   * @throws UnsupportedOperationException if there is none, or none is needed: with {@code
   *     favordynmods} the kernel never waits
   */
  static Path of(int pid) {
    MountTable mounts = MountTable.ofProcess();
    if (mounts.mounts().stream().anyMatch(CgroupProcs::favorsDynamicChanges)) {
      throw new UnsupportedOperationException("they are mounted with favordynmods");
    }
    try {
      String groups = Files.readString(Path.of("/proc/" + pid + "/cgroup"));
      for (Path file : candidates(mounts, groups)) {
        if (isListed(file, pid)) {
          return file;
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("no group of process " + pid + ": " + e.getMessage(), e);
    }
    throw new UnsupportedOperationException("no hierarchy shows process " + pid);
  }

  private static boolean favorsDynamicChanges(Mount mount) {
    return mount.type().startsWith("cgroup") && mount.superOptions().contains("favordynmods");
  }

  /** A group may be hidden by a namespace or another mount: only the file itself proves it. */
  private static boolean isListed(Path file, int pid) throws IOException {
    return Files.isWritable(file) && Files.readAllLines(file).contains(Integer.toString(pid));
  }

  /** The files that the groups of a process would have, below mounts of whole hierarchies. */
  static List<Path> candidates(MountTable mounts, String procCgroup) {
    List<Path> files = new ArrayList<>();
    for (String line : procCgroup.split("\n")) {
      String[] fields = line.split(":", 3);
      if (fields.length < 3 || !fields[2].startsWith("/") || fields[2].startsWith("/..")) {
        continue;
      }
      for (Mount mount : mounts.mounts()) {
        if (mount.root().equals("/") && isHierarchy(mount, fields[1])) {
          Path group = Path.of(mount.mountPoint()).resolve(fields[2].substring(1));
          files.add(group.resolve("cgroup.procs"));
        }
      }
    }
    return files;
  }

  /** The second field names a v1 hierarchy by its options, and the v2 one by nothing. */
  private static boolean isHierarchy(Mount mount, String name) {
    return name.isEmpty()
        ? mount.type().equals("cgroup2")
        : mount.type().equals("cgroup")
            && mount.superOptions().containsAll(Set.of(name.split(",")));
  }
}
