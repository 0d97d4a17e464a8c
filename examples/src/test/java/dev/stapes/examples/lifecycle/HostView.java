package dev.stapes.examples.lifecycle;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Instance;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A running instance as the machine's kernel sees it. */
final class HostView {
  private static final Path CGROUPS = Path.of("/sys/fs/cgroup");

  private HostView() {}

  /** The directory of its first process. */
  static Path process(Instance instance) {
    return Path.of("/proc", Long.toString(instance.state().pid().orElseThrow()));
  }

  /** Whether a process has not ended; who inherits the dead may be slow to bury them. */
  static boolean runs(Path process) {
    try {
      return !Files.readString(process.resolve("status")).contains("State:\tZ");
    } catch (IOException e) {
      return false;
    }
  }

  /** A line of {@code /proc/PID/status} without its name. */
  static String status(Instance instance, String field) throws IOException {
    return Files.readAllLines(process(instance).resolve("status")).stream()
        .filter(line -> line.startsWith(field + ":"))
        .map(line -> line.substring(field.length() + 1).strip())
        .findFirst()
        .orElseThrow();
  }

  /** Whether a capability is in its bounding set; numbers as in capability.h. */
  static boolean mayHave(Instance instance, int capability) throws IOException {
    long bounding = Long.parseUnsignedLong(status(instance, "CapBnd"), 16);
    return (bounding & (1L << capability)) != 0;
  }

  /** Who owns one of its files on the machine: uid, gid. */
  static List<Integer> owner(Instance instance, String path) throws IOException {
    Path file = Path.of(process(instance) + "/root" + path);
    return List.of(
        (Integer) Files.getAttribute(file, "unix:uid"),
        (Integer) Files.getAttribute(file, "unix:gid"));
  }

  /** The first id on the machine of its user namespace, and how many there are. */
  static List<Long> firstRange(Instance instance) throws IOException {
    String[] words =
        Files.readAllLines(process(instance).resolve("uid_map")).get(0).strip().split(" +");
    return List.of(Long.parseLong(words[1]), Long.parseLong(words[2]));
  }

  /** Its group of a cgroup v1 controller. */
  static Path cgroup(Instance instance, String controller) throws IOException {
    for (String line : Files.readAllLines(process(instance).resolve("cgroup"))) {
      String[] parts = line.split(":", 3);
      if (Arrays.asList(parts[1].split(",", -1)).contains(controller)) {
        return CGROUPS.resolve(controller).resolve(parts[2].substring(1));
      }
    }
    throw new AssertionError("no v1 hierarchy of " + controller);
  }

  /** The content of a file of that group, without the last line's end. */
  static String cgroup(Instance instance, String controller, String file) throws IOException {
    return Files.readString(cgroup(instance, controller).resolve(file)).stripTrailing();
  }

  /** What liblxc calls the container of an instance that runs. */
  static String container(Instance instance) throws IOException {
    String groups = Files.readString(process(instance).resolve("cgroup"));
    Matcher group = Pattern.compile("/lxc\\.payload\\.(stapes-[a-z0-9-]+)").matcher(groups);
    assertTrue(group.find(), groups);
    return group.group(1);
  }

  /** As {@link #cgroupsOf} once they are removed, which happens behind: for a minute at most. */
  static List<Path> cgroupsLeftOf(String nameEnd) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    List<Path> left = cgroupsOf(nameEnd);
    while (!left.isEmpty() && System.nanoTime() < deadline) {
      Thread.onSpinWait();
      left = cgroupsOf(nameEnd);
    }
    return left;
  }

  /** All cgroups of containers or their monitors whose name ends so. */
  static List<Path> cgroupsOf(String nameEnd) {
    List<Path> found = new ArrayList<>();
    try (Stream<Path> hierarchies = Files.list(CGROUPS)) {
      for (Path hierarchy : hierarchies.filter(Files::isDirectory).toList()) {
        try (Stream<Path> groups = Files.list(hierarchy)) {
          groups
              .filter(group -> group.getFileName().toString().matches("lxc\\..*"))
              .filter(group -> group.getFileName().toString().endsWith(nameEnd))
              .forEach(found::add);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return found;
  }
}
