package dev.stapes.qemu.driver;

import dev.stapes.linux.Fd;
import dev.stapes.linux.FileKind;
import dev.stapes.linux.FileStat;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.block.LoopDevice;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.nio.file.Path;
import java.util.EnumSet;

/** How large the files and block devices are that machines have as disks. */
final class DiskSize {
  private DiskSize() {}

  /**
   * The bytes that one has.
   *
   * @param disk where this JVM finds it
   * @param name of the disk, for errors
   * @throws StapesException UNAVAILABLE where it cannot be read
   */
  static long of(Syscalls sys, Path disk, String subject, String name) {
    try (Fd fd = Fd.openWithoutWaiting(sys, disk, EnumSet.of(OpenFlag.READ))) {
      FileStat found = fd.stat();
      return found.kind() == FileKind.BLOCK_DEVICE ? LoopDevice.sizeOf(sys, fd) : found.size();
    } catch (LinuxException e) {
      throw new StapesException(
          Kind.UNAVAILABLE,
          subject,
          "the size of " + name + " cannot be read: " + e.getMessage(),
          e);
    }
  }
}
