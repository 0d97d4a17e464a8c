package dev.stapes.lxc.driver;

import dev.stapes.linux.cgroup.CgroupLayout;
import dev.stapes.model.Config;
import dev.stapes.model.Device;
import dev.stapes.model.InstanceId;
import dev.stapes.model.Lifetime;
import dev.stapes.spi.Host;
import dev.stapes.spi.HostProvider;
import dev.stapes.spi.InstanceDriver;
import dev.stapes.spi.InstanceDriverProvider.Scope;
import dev.stapes.spi.Machine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.ServiceLoader;
import java.util.TreeMap;
import java.util.stream.Stream;

/** A driver with a host and a root disk made of busybox, and what they must not leave behind. */
final class TestBox implements AutoCloseable {
  private static final List<String> PROGRAMS =
      List.of(
          "sh",
          "ls",
          "cat",
          "sleep",
          "id",
          "env",
          "true",
          "false",
          "ps",
          "tty",
          "stty",
          "kill",
          "head",
          "yes",
          "printf",
          "mount",
          "reboot",
          "poweroff",
          "wc",
          "dd",
          "touch",
          "readlink");

  final Path directory;
  final Path root;
  final Host host;
  final Scope scope;
  InstanceDriver driver;

  private TestBox(Path directory, Path root, Host host, Scope scope, InstanceDriver driver) {
    this.directory = directory;
    this.root = root;
    this.host = host;
    this.scope = scope;
    this.driver = driver;
  }

  static TestBox open() throws IOException {
    Path directory = Files.createTempDirectory(Path.of("/var/tmp"), "stapes-lxc-test");
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx--x--x"));
    Files.createDirectory(directory.resolve("run"));
    Files.createDirectory(directory.resolve("logs"));
    Path root = Files.createDirectory(directory.resolve("root"));
    fill(root);
    return at(directory, "t" + Integer.toString(new Random().nextInt(36 * 36 * 36), 36) + "000");
  }

  /** A driver in a directory that is there already. */
  static TestBox at(Path directory, String tag) {
    Host host = ServiceLoader.load(HostProvider.class).findFirst().orElseThrow().open();
    Scope scope = new Scope(directory.resolve("run"), directory.resolve("logs"), tag);
    return new TestBox(
        directory,
        directory.resolve("root"),
        host,
        scope,
        new LxcDriverProvider().open(host, scope));
  }

  private static void fill(Path root) throws IOException {
    for (String name : List.of("bin", "dev", "etc", "proc", "root", "sys", "tmp", "run", "mnt")) {
      Files.createDirectory(root.resolve(name));
    }
    Files.setPosixFilePermissions(
        root.resolve("tmp"), PosixFilePermissions.fromString("rwxrwxrwx"));
    Files.copy(Path.of("/bin/busybox"), root.resolve("bin/busybox"));
    for (String program : PROGRAMS) {
      Files.createSymbolicLink(root.resolve("bin").resolve(program), Path.of("busybox"));
    }
    Files.writeString(
        root.resolve("etc/passwd"), "root:x:0:0::/root:/bin/sh\nuser:x:1000:1001::/tmp:/bin/sh\n");
  }

  /** Another driver in the same place, as after the end of the JVM. */
  void reopen() {
    driver.close();
    driver = new LxcDriverProvider().open(host, scope);
  }

  Machine.Spec spec(String id, Lifetime lifetime, Map<String, String> config) {
    return spec(id, lifetime, config, Map.of(), Map.of());
  }

  Machine.Spec spec(
      String id,
      Lifetime lifetime,
      Map<String, String> config,
      Map<String, Device> devices,
      Map<String, Machine.Disk> disks) {
    return new Machine.Spec(
        new InstanceId(id),
        "box",
        lifetime,
        Config.of(config),
        new TreeMap<>(devices),
        new Machine.Disk(root, Optional.empty(), Device.IoLimits.NONE),
        new TreeMap<>(disks));
  }

  /** All lxc-start of this scope, those that wait for a container included. */
  List<ProcessHandle> monitors() {
    return ProcessHandle.allProcesses().filter(this::isMonitor).toList();
  }

  /** The first processes of containers that have been started ahead and wait. */
  List<ProcessHandle> waiting() {
    return monitors().stream()
        .flatMap(ProcessHandle::children)
        .filter(child -> commandLine(child).contains("\0/dev/.stapes/boot\0wait"))
        .toList();
  }

  private static String commandLine(ProcessHandle process) {
    try {
      return Files.readString(Path.of("/proc/" + process.pid() + "/cmdline"));
    } catch (IOException e) {
      return ""; // it has ended
    }
  }

  private boolean isMonitor(ProcessHandle process) {
    String command = commandLine(process);
    return command.matches("[^\0]*/lxc-start\0.*")
        && command.contains(scope.runDirectory().toString());
  }

  /** What of this scope is on the machine: cgroups, run files, lock files. */
  List<String> leftovers() throws IOException {
    List<String> left = new ArrayList<>();
    CgroupLayout layout = CgroupLayout.detect();
    for (String prefix : Remains.groupPrefixes()) {
      left.addAll(layout.groups(prefix + RunDirectory.prefix(scope)));
    }
    try (Stream<Path> files = Files.list(scope.runDirectory())) {
      files.map(Path::toString).forEach(left::add);
    }
    Path locks = Path.of("/run/lxc/lock" + scope.runDirectory());
    if (Files.exists(locks)) {
      left.add(locks.toString());
    }
    return left;
  }

  @Override
  public void close() throws IOException {
    driver.close();
    host.close();
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
