package dev.stapes.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Reads from /proc, /sys and the PATH what the machine has. */
final class KernelFeatures {
  private static final List<String> SBIN =
      List.of("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin");
  private static final Pattern RELEASE = Pattern.compile("(\\d+)\\.(\\d+).*", Pattern.DOTALL);

  private KernelFeatures() {}

  /** Why a feature of {@link RequiresKernel} is missing; empty: it is there. */
  static Optional<String> missing(String feature) {
    return switch (feature) {
      case "user-namespaces" -> userNamespaces();
      case "loop" ->
          unless(
              Files.exists(Path.of("/dev/loop-control")),
              "no loop devices: /dev/loop-control does not exist");
      case "thin-pool" -> unless(hasModule("dm_thin_pool"), "no thin pools of device-mapper");
      case "seccomp" ->
          unless(
              Files.exists(Path.of("/proc/sys/kernel/seccomp/actions_avail")),
              "no seccomp filters: /proc/sys/kernel/seccomp does not exist");
      case "idmapped-mounts" ->
          unless(atLeast(5, 12), "no idmapped mounts: Linux " + release() + " is older than 5.12");
      case "squashfs-idmapped" ->
          unless(
              hasFileSystem("squashfs") && atLeast(6, 2),
              "no squashfs with mapped owners: Linux " + release() + ", 6.2 may have it");
      case "steady-clock" -> steadyClock();
      case "cgroup-v1" -> unless(hasCgroup("cgroup"), "no cgroup v1 controller is mounted");
      case "cgroup-v1-throttle" -> v1File("blkio/blkio.throttle.read_bps_device");
      case "cgroup-v1-bfq" -> v1File("blkio/blkio.bfq.io_service_bytes");
      case "cgroup-v1-swap" -> v1File("memory/memory.memsw.limit_in_bytes");
      case "cgroup-v2" -> unless(hasUnifiedControllers(), "no controller is on cgroup v2");
      default ->
          unless(
              hasFileSystem(feature),
              "the kernel has no file system " + feature + " and no module for it");
    };
  }

  /** The effective uid, credentials(7). */
  static long effectiveUid() {
    for (String line : lines(Path.of("/proc/self/status"))) {
      if (line.startsWith("Uid:")) {
        return Long.parseLong(line.split("\\s+", -1)[2]);
      }
    }
    return -1;
  }

  /** Where a program is. */
  static Optional<Path> program(String name) {
    String path = Optional.ofNullable(System.getenv("PATH")).orElse("");
    return Stream.concat(Stream.of(path.split(":", -1)), SBIN.stream())
        .filter(directory -> directory.startsWith("/"))
        .map(directory -> Path.of(directory, name))
        .filter(file -> Files.isRegularFile(file) && Files.isExecutable(file))
        .findFirst();
  }

  private static Optional<String> unless(boolean there, String reason) {
    return there ? Optional.empty() : Optional.of(reason);
  }

  private static Optional<String> userNamespaces() {
    if (!Files.exists(Path.of("/proc/self/ns/user"))) {
      return Optional.of("the kernel has no user namespaces");
    }
    List<String> most = lines(Path.of("/proc/sys/user/max_user_namespaces"));
    return unless(
        most.isEmpty() || !most.get(0).strip().equals("0"),
        "user namespaces are off: /proc/sys/user/max_user_namespaces is 0");
  }

  private static Optional<String> steadyClock() {
    Path scaling = Path.of("/sys/devices/system/cpu/cpu0/cpufreq/scaling_driver");
    return steadyClock(lines(Path.of("/proc/cpuinfo")), Files.exists(scaling));
  }

  /**
   * The same on what the kernel says.
   *
   * @param cpus the lines of cpuinfo
   * @param scaled whether cpufreq changes the clock of CPUs
   */
  static Optional<String> steadyClock(List<String> cpus, boolean scaled) {
    String flags =
        cpus.stream().filter(line -> line.startsWith("flags")).findFirst().orElse("") + " ";
    boolean steady = flags.contains(" constant_tsc ") && !flags.contains(" aperfmperf ");
    return unless(
        steady && !scaled,
        "the kernel does not tell how fast the time stamp counter goes: it has the clock of a CPU"
            + " as it is at the moment (aperfmperf, cpufreq), or the counter is not constant");
  }

  private static boolean hasFileSystem(String name) {
    boolean registered =
        lines(Path.of("/proc/filesystems")).stream()
            .anyMatch(line -> line.substring(line.lastIndexOf('\t') + 1).equals(name));
    // mount(2) loads a module on demand, so one that is not loaded yet is as good.
    return registered || canLoad(name);
  }

  private static boolean canLoad(String module) {
    return lines(Path.of("/lib/modules", release(), "modules.dep")).stream()
        .anyMatch(line -> line.matches(".*/" + Pattern.quote(module) + "\\.ko(\\.[a-z]+)?:.*"));
  }

  /** A module that is there, built in, or can be loaded by who needs it. */
  private static boolean hasModule(String name) {
    return Files.exists(Path.of("/sys/module", name)) || canLoad(name.replace('_', '-'));
  }

  private static boolean hasCgroup(String type) {
    return lines(Path.of("/proc/self/mountinfo")).stream()
        .anyMatch(line -> line.contains(" - " + type + " "));
  }

  private static Optional<String> v1File(String file) {
    return unless(
        Files.exists(Path.of("/sys/fs/cgroup", file)), "the kernel has no /sys/fs/cgroup/" + file);
  }

  private static boolean hasUnifiedControllers() {
    return lines(Path.of("/sys/fs/cgroup/cgroup.controllers")).stream()
        .anyMatch(line -> !line.isBlank());
  }

  private static boolean atLeast(int major, int minor) {
    Matcher matcher = RELEASE.matcher(release());
    if (!matcher.matches()) {
      return false;
    }
    int actual = Integer.parseInt(matcher.group(1));
    return actual > major || (actual == major && Integer.parseInt(matcher.group(2)) >= minor);
  }

  private static String release() {
    List<String> lines = lines(Path.of("/proc/sys/kernel/osrelease"));
    return lines.isEmpty() ? "" : lines.get(0);
  }

  private static List<String> lines(Path file) {
    if (!Files.isReadable(file)) {
      return List.of();
    }
    try {
      return Files.readAllLines(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
