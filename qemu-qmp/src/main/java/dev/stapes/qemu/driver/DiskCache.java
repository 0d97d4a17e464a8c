package dev.stapes.qemu.driver;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stapes.linux.Fd;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.Device;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.nio.file.Path;
import java.util.Set;

/** What the host keeps of a disk in its memory. */
final class DiskCache {
  private DiskCache() {}

  /** Whether a disk goes past the memory of the host. */
  static boolean isDirect(Device.DiskIo io) {
    return io.cache().filter(cache -> cache == Device.DiskIo.Cache.NONE).isPresent();
  }

  /** Tells a block node of it, where it is not as without a choice. */
  static void put(ObjectNode node, Device.DiskIo io) {
    boolean direct = isDirect(io);
    boolean unsafe = io.cache().filter(cache -> cache == Device.DiskIo.Cache.UNSAFE).isPresent();
    if (direct || unsafe) {
      node.putObject("cache").put("direct", direct).put("no-flush", unsafe);
    }
  }

  /**
   * Fails where a disk is to go past the memory of the host, and cannot.
   *
   * @param subject for the error
   * @throws StapesException UNSUPPORTED where the file system has no such files
   */
  static void require(Syscalls sys, String subject, Path file, Device.DiskIo io) {
    if (!isDirect(io)) {
      return;
    }
    try {
      Fd.open(sys, file, Set.of(OpenFlag.READ, OpenFlag.DIRECT)).close();
    } catch (LinuxException e) {
      throw failed(subject, file, e);
    }
  }

  /** How the root disk is opened. From 9.1 on QEMU takes a descriptor that was opened so alone. */
  static QemuProcess.Mode modeOfRoot(Device.DiskIo io) {
    return isDirect(io) ? QemuProcess.Mode.DIRECT : QemuProcess.Mode.WRITE;
  }

  private static StapesException failed(String subject, Path file, LinuxException e) {
    if (e.is(Errno.EINVAL)) {
      return new StapesException(
          Kind.UNSUPPORTED,
          subject,
          "io.cache: the file system of \"" + file + "\" has no O_DIRECT: \"none\"",
          e);
    }
    return new StapesException(
        Kind.UNAVAILABLE, subject, "\"" + file + "\" cannot be opened: " + e.getMessage(), e);
  }
}
