package dev.stapes.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * What tests may leave behind on a Linux machine, read from /proc and /sys: mounts in any mount
 * namespace, loop devices, processes, cgroups and network links. It looks only at what belongs to a
 * directory or bears a tag, so that tests that run beside it do not disturb it. Take it before and
 * after, and compare.
 *
 * <p>Without root it sees the caller's own processes and namespaces only.
 */
public final class HostLeftovers {
  private static final Path PROC = Path.of("/proc");

  private HostLeftovers() {}

  /**
   * Everything that belongs to a directory or bears a tag.
   *
   * @param directory an absolute path; mounts at or from below it, loop devices of files below it,
   *     processes (but this JVM) that work in it, have it as root or name it in their arguments
   * @param tags parts of the names of cgroups and network links, and what the names of virtual
   *     machines begin with; each at least 4 characters
   * @return in words, sorted
   */
  public static Set<String> of(Path directory, String... tags) {
    Set<String> all = new TreeSet<>();
    mounts(directory, all);
    loopDevices(directory, all);
    processes(directory, all);
    for (String tag : tags) {
      if (tag.length() < 4) {
        throw new IllegalArgumentException("a tag needs 4 characters: \"" + tag + "\"");
      }
      machines(tag, all);
      cgroups(tag, all);
      links(tag, all);
    }
    return all;
  }

  /**
   * What is still there of {@link #of} when the kernel has had time: it lets go of a mount of a
   * process that was killed, and of the loop device below it, a moment after the process has ended.
   *
   * @param patience how long something may stay at most
   */
  public static Set<String> staying(Duration patience, Path directory, String... tags) {
    long deadline = System.nanoTime() + patience.toNanos();
    Set<String> left = of(directory, tags);
    while (!left.isEmpty() && System.nanoTime() < deadline) {
      Thread.onSpinWait();
      left = of(directory, tags);
    }
    return left;
  }

  /** Files and directories below one, which must be empty at the end of a test. */
  public static Set<String> filesBelow(Path directory) {
    if (!Files.exists(directory)) {
      return Set.of();
    }
    try (Stream<Path> files = Files.walk(directory)) {
      Set<String> all = new TreeSet<>();
      files.filter(file -> !file.equals(directory)).forEach(file -> all.add("file " + file));
      return all;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void mounts(Path directory, Set<String> into) {
    Set<String> seen = new HashSet<>();
    for (Path process : numbered(PROC)) {
      // A thread may have a mount namespace that its process does not have.
      for (Path thread : numbered(process.resolve("task"))) {
        String namespace = link(thread.resolve("ns/mnt"));
        if (!namespace.isEmpty() && seen.add(namespace)) {
          for (String line : lines(thread.resolve("mountinfo"))) {
            mount(directory, line, into);
          }
        }
      }
    }
  }

  /** One line of proc_pid_mountinfo(5). */
  private static void mount(Path directory, String line, Set<String> into) {
    String[] fields = line.split(" ", -1);
    int dash = Arrays.asList(fields).indexOf("-");
    if (fields.length < 6 || dash < 0 || dash + 2 >= fields.length) {
      return;
    }
    String target = plain(fields[4]);
    String source = plain(fields[dash + 2]);
    if (isBelow(directory, target) || isBelow(directory, source)) {
      into.add("mount " + target + " (" + fields[dash + 1] + " of " + source + ")");
    }
  }

  private static void loopDevices(Path directory, Set<String> into) {
    for (Path device : entries(Path.of("/sys/block"))) {
      for (String file : lines(device.resolve("loop/backing_file"))) {
        if (isBelow(directory, file.replace(" (deleted)", ""))) {
          into.add("loop device " + device.getFileName() + " of " + file);
        }
      }
    }
  }

  private static void processes(Path directory, Set<String> into) {
    String self = Long.toString(ProcessHandle.current().pid());
    for (Path process : numbered(PROC)) {
      String pid = process.getFileName().toString();
      if (!pid.equals(self)) {
        String command = text(process.resolve("cmdline")).replace('\0', ' ').strip();
        boolean ours =
            isBelow(directory, link(process.resolve("cwd")).replace(" (deleted)", ""))
                || isBelow(directory, link(process.resolve("root")))
                || command.contains(directory.toString());
        if (ours) {
          into.add("process " + pid + ": " + command);
        }
      }
    }
  }

  /** QEMU, whose directory may be gone and whose arguments name none. */
  private static void machines(String tag, Set<String> into) {
    for (Path process : numbered(PROC)) {
      String command = text(process.resolve("cmdline"));
      if (command.contains("\0-name\0guest=" + tag)) {
        into.add("process " + process.getFileName() + ": " + command.replace('\0', ' ').strip());
      }
    }
  }

  private static void cgroups(String tag, Set<String> into) {
    List<Path> pending = new ArrayList<>(List.of(Path.of("/sys/fs/cgroup")));
    while (!pending.isEmpty()) {
      Path group = pending.remove(pending.size() - 1);
      for (Path child : entries(group)) {
        if (Files.isDirectory(child, java.nio.file.LinkOption.NOFOLLOW_LINKS)) {
          if (child.getFileName().toString().contains(tag)) {
            into.add("cgroup " + child);
          } else {
            pending.add(child);
          }
        }
      }
    }
  }

  private static void links(String tag, Set<String> into) {
    for (Path link : entries(Path.of("/sys/class/net"))) {
      if (link.getFileName().toString().contains(tag)) {
        into.add("network link " + link.getFileName());
      }
    }
  }

  private static boolean isBelow(Path directory, String path) {
    return path.startsWith("/") && Path.of(path).startsWith(directory);
  }

  /** Undoes the octal escapes of mountinfo. */
  private static String plain(String escaped) {
    return escaped
        .replace("\\040", " ")
        .replace("\\011", "\t")
        .replace("\\012", "\n")
        .replace("\\134", "\\");
  }

  private static List<Path> numbered(Path directory) {
    return entries(directory).stream()
        .filter(entry -> entry.getFileName().toString().chars().allMatch(Character::isDigit))
        .toList();
  }

  // Processes end and cgroups vanish while we look; what is gone is no leftover.

  private static List<Path> entries(Path directory) {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.toList();
    } catch (IOException | UncheckedIOException e) {
      return List.of();
    }
  }

  private static List<String> lines(Path file) {
    String text = text(file);
    return text.isEmpty() ? List.of() : List.of(text.split("\n", -1));
  }

  private static String text(Path file) {
    try {
      return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    } catch (IOException e) {
      return "";
    }
  }

  private static String link(Path link) {
    try {
      return Files.readSymbolicLink(link).toString();
    } catch (IOException e) {
      return "";
    }
  }
}
