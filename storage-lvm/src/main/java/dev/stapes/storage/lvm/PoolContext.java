package dev.stapes.storage.lvm;

import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.ConfigKey;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Command;
import dev.stapes.spi.Host;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What every part of a pool works with.
 *
 * @param host the machine
 * @param sys its system calls
 * @param root where its {@code /sys} and {@code /lib/modules} are
 * @param spec what was asked for
 * @param directory for the pool's own files
 * @param contents of its devices
 */
record PoolContext(
    Host host, Syscalls sys, Path root, PoolSpec spec, Path directory, DeviceContents contents) {
  static final String NO_SNAPSHOTS =
      "the kernel has no snapshots of device-mapper, which volumes without a thin pool are copied"
          + " from";

  private static final Logger LOG = LoggerFactory.getLogger(PoolContext.class);
  private static final Path UDEV = Path.of("/run/udev/control");

  /** For messages. */
  String subject() {
    return "pool " + spec.name();
  }

  /** Whether other machines have the same pool. */
  boolean isShared() {
    return spec.driver().equals(LvmClusterProvider.NAME);
  }

  /** Whether volumes are to take their space from the group themselves. */
  boolean isPlain() {
    return isShared() || !get(LvmKeys.THIN).orElse(true);
  }

  /** Whether plain volumes can be copied. */
  boolean hasSnapshots() {
    return ThinKernel.hasSnapshots(root, host.facts().kernel());
  }

  /**
   * Looks whether they can.
   *
   * @throws StapesException UNAVAILABLE
   */
  void requireSnapshots() {
    if (!hasSnapshots()) {
      throw failure(
          StapesException.Kind.UNAVAILABLE,
          NO_SNAPSHOTS
              + ": use a kernel with CONFIG_DM_SNAPSHOT"
              + (isShared() ? "" : ", or a thin pool"));
    }
  }

  /** The path by which this JVM reaches a path of the host's mount namespace. */
  Path local(Path path) {
    return host.mounts().local(path);
  }

  <T> Optional<T> get(ConfigKey<T> key) {
    return spec.config().get(key);
  }

  /**
   * Waits until udev has looked at what it wants to look at: meanwhile it holds devices that were
   * written to.
   */
  void awaitUdev() {
    if (!Files.exists(UDEV) || host.programs().find("udevadm").isEmpty()) {
      return;
    }
    try {
      host.programs().run(Command.of("udevadm", "settle", "--timeout=30"));
    } catch (StapesException e) {
      LOG.debug("{}: udev does not settle", subject(), e);
    }
  }

  /** LVM, looking at one device alone or at all. */
  Lvm lvm(Optional<String> device) {
    return new Lvm(host, subject(), Lvm.options(device, Files.exists(UDEV), isShared()));
  }

  StapesException failure(StapesException.Kind kind, String problem) {
    return new StapesException(kind, subject(), problem);
  }

  StapesException failure(StapesException.Kind kind, String problem, Throwable cause) {
    return new StapesException(kind, subject(), problem, cause);
  }
}
