package dev.stapes.examples.survival;

import dev.stapes.Stapes;
import dev.stapes.model.Device;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Virtual machines without a guest: a BIOS that finds nothing to boot, which is up at once. */
final class Machines {
  private static final long SMALL = 16;

  private Machines() {}

  static InstanceSpec.Builder spec(String name) {
    return InstanceSpec.emptyVirtualMachine(name)
        .config("security.secureboot", "false")
        .config("security.csm", "true")
        .limits(limits -> limits.memory(Size.ofMebibytes(SMALL * 4)))
        .device("root", Device.root(disk -> disk.pool("default").size(Size.ofMebibytes(SMALL))));
  }

  /** One whose memory can be saved. */
  static InstanceSpec.Builder statefulSpec(String name) {
    return spec(name).config("migration.stateful", "true");
  }

  static Stapes open(Path root, String driver) {
    return Stapes.builder(root).defaultPool(PoolSpec.of("default", driver)).open();
  }

  /** The processes that are QEMU of a root directory, from /proc. */
  static Set<Long> processes(Path root) throws IOException {
    String name = "guest=" + Remains.tagOf(root) + "-";
    try (Stream<Path> all = Files.list(Path.of("/proc"))) {
      return all.filter(path -> path.getFileName().toString().matches("[0-9]+"))
          .filter(path -> arguments(path).stream().anyMatch(text -> text.startsWith(name)))
          .map(path -> Long.parseLong(path.getFileName().toString()))
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }

  private static List<String> arguments(Path process) {
    try {
      byte[] bytes = Files.readAllBytes(process.resolve("cmdline"));
      return Arrays.asList(new String(bytes, StandardCharsets.ISO_8859_1).split("\0", -1));
    } catch (IOException e) {
      return List.of(); // it has ended
    }
  }

  /** The run directory of the only machine of a root directory that runs. */
  static Path runDirectory(Path root) throws IOException {
    try (Stream<Path> all = Files.list(root.resolve("run/qemu"))) {
      return all.filter(Files::isDirectory).findFirst().orElseThrow();
    }
  }
}
