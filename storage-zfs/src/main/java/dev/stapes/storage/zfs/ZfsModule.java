package dev.stapes.storage.zfs;

import dev.stapes.model.StapesException;
import dev.stapes.spi.Availability;
import dev.stapes.spi.Command;
import dev.stapes.spi.Host;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** OpenZFS in the kernel: a module, which the programs of ZFS load when they first want it. */
final class ZfsModule {
  private static final Logger LOG = LoggerFactory.getLogger(ZfsModule.class);

  private static final String INSTALL =
      "install the package zfs-dkms with the headers of this kernel, or use the btrfs driver";

  private final Path machine;

  ZfsModule(Path machine) {
    this.machine = machine;
  }

  /** Whether it is there, and new enough where it can be asked. */
  Availability probe(Host host) {
    String kernel = host.facts().kernel();
    Path loaded = machine.resolve("sys/module/zfs");
    if (Files.isDirectory(loaded)) {
      List<String> lines = lines(loaded.resolve("version"));
      return newEnough(lines.isEmpty() ? Optional.empty() : ZfsVersion.parse(lines.get(0)));
    }
    return canBeLoaded(kernel)
        ? newEnough(version(host, kernel))
        : Availability.unavailable("no module zfs for Linux " + kernel, INSTALL);
  }

  /** Since 2.2 the owners of files can be mapped by a mount. */
  private static Availability newEnough(Optional<ZfsVersion> version) {
    return version.isPresent() && !version.get().isAtLeast(2, 2)
        ? Availability.unavailable(
            "OpenZFS " + version.get() + " cannot map the owners of files",
            "use OpenZFS 2.2 or newer, or the btrfs driver")
        : Availability.available();
  }

  /** What modinfo(8) tells of a module that is not loaded; its file may be compressed. */
  private static Optional<ZfsVersion> version(Host host, String kernel) {
    try {
      Command ask = Command.of("modinfo", "-k", kernel, "-F", "version", "zfs");
      return ZfsVersion.parse(host.programs().run(ask).stdout());
    } catch (StapesException e) {
      LOG.debug("no version of a module that is not loaded: {}", e.getMessage());
      return Optional.empty();
    }
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
