package dev.stapes.linux.cgroup;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The cgroup mounts of {@code /proc/PID/mountinfo} and the groups of {@code /proc/PID/cgroup}.
 *
 * @see <a
 *     href="https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html">proc_pid_mountinfo(5)</a>
 */
final class MountTable {
  private MountTable() {}

  /**
   * A cgroup mount.
   *
   * @param root the group that is mounted
   * @param mountPoint where
   * @param v2 whether it is the unified hierarchy
   * @param options of the file system
   */
  record Mount(String root, String mountPoint, boolean v2, Set<String> options) {
    /** Returns what a line of {@code /proc/PID/cgroup} calls this hierarchy: empty for v2. */
    Set<String> identity() {
      return v2
          ? Set.of()
          : options.stream()
              .filter(option -> option.startsWith("name=") || Controller.ofV1(option).isPresent())
              .collect(Collectors.toUnmodifiableSet());
    }

    private boolean isBetterThan(Mount other) {
      boolean whole = root.equals("/");
      return whole != other.root.equals("/")
          ? whole
          : isUsual(mountPoint) && !isUsual(other.mountPoint);
    }

    private static boolean isUsual(String mountPoint) {
      return mountPoint.equals("/sys/fs/cgroup") || mountPoint.startsWith("/sys/fs/cgroup/");
    }
  }

  /** Returns one mount for each hierarchy: a hierarchy can be mounted many times, and partly. */
  static List<Mount> parseMountinfo(String mountinfo) {
    Map<Set<String>, Mount> mounts = new LinkedHashMap<>();
    for (String line : mountinfo.split("\n")) {
      parseLine(line)
          .ifPresent(
              mount ->
                  mounts.merge(
                      mount.identity(),
                      mount,
                      (first, next) -> next.isBetterThan(first) ? next : first));
    }
    return new ArrayList<>(mounts.values());
  }

  private static Optional<Mount> parseLine(String line) {
    int separator = line.indexOf(" - ");
    if (separator < 0) {
      return Optional.empty();
    }
    String[] before = line.substring(0, separator).split(" ");
    String[] after = line.substring(separator + 3).split(" ");
    boolean v2 = after[0].equals("cgroup2");
    if (before.length < 5 || after.length < 3 || !(v2 || after[0].equals("cgroup"))) {
      return Optional.empty();
    }
    Set<String> options = Arrays.stream(after[2].split(",")).collect(Collectors.toSet());
    return Optional.of(new Mount(unescape(before[3]), unescape(before[4]), v2, options));
  }

  /** Undoes the octal escapes of blank, tab, newline and backslash. */
  private static String unescape(String field) {
    return field
        .replace("\\040", " ")
        .replace("\\011", "\t")
        .replace("\\012", "\n")
        .replace("\\134", "\\");
  }

  /** Returns the group in each hierarchy, by the hierarchy's identity. */
  static Map<Set<String>, String> parseProcCgroup(String cgroup) {
    Map<Set<String>, String> groups = new HashMap<>();
    for (String line : cgroup.split("\n")) {
      String[] fields = line.split(":", 3);
      if (fields.length == 3) {
        Set<String> identity =
            fields[1].isEmpty() ? Set.of() : Set.copyOf(Arrays.asList(fields[1].split(",")));
        groups.put(identity, fields[2]);
      }
    }
    return groups;
  }
}
