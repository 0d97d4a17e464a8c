package dev.stapes.storage.zfs;

import dev.stapes.spi.Availability;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** OpenZFS in the kernel: a module, which the programs of ZFS load when they first want it. */
final class ZfsModule {
  private static final String INSTALL =
      "install the package zfs-dkms with the headers of this kernel, or use the btrfs driver";

  private final Path machine;

  ZfsModule(Path machine) {
    this.machine = machine;
  }

  /** Whether it is there, and new enough where it can be asked. */
  Availability probe(String kernel) {
    Path loaded = machine.resolve("sys/module/zfs");
    if (!Files.isDirectory(loaded)) {
      return canBeLoaded(kernel)
          ? Availability.available()
          : Availability.unavailable("no module zfs for Linux " + kernel, INSTALL);
    }
    List<String> lines = lines(loaded.resolve("version"));
    Optional<ZfsVersion> version =
        lines.isEmpty() ? Optional.empty() : ZfsVersion.parse(lines.get(0));
    // Since 2.2 the owners of files can be mapped by a mount.
    if (version.isPresent() && !version.get().isAtLeast(2, 2)) {
      return Availability.unavailable(
          "OpenZFS " + version.get() + " cannot map the owners of files",
          "use OpenZFS 2.2 or newer, or the btrfs driver");
    }
    return Availability.available();
  }

  private boolean canBeLoaded(String kernel) {
    return lines(machine.resolve("lib/modules").resolve(kernel).resolve("modules.dep")).stream()
        .anyMatch(line -> line.contains("/zfs.ko"));
  }

  private static List<String> lines(Path file) {
    try {
      return Files.isReadable(file) ? Files.readAllLines(file) : List.of();
    } catch (IOException e) {
      return List.of(); // what cannot be read promises nothing
    }
  }
}
