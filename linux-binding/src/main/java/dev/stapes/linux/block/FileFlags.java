package dev.stapes.linux.block;

import static dev.stapes.linux.block.Abi.*;

import dev.stapes.linux.Fd;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.Syscalls;
import java.nio.ByteBuffer;

/** Inode flags; see ioctl_iflags(2). */
public final class FileFlags {
  private final Syscalls sys;

  public FileFlags(Syscalls sys) {
    this.sys = sys;
  }

  /**
   * Has an empty file overwritten in place on a file system that would write elsewhere (Btrfs):
   * what a disk in a file wants, which is rewritten all over.
   *
   * @return false if the file system knows nothing of it, or writes in place anyway
   */
  public boolean noCopyOnWriteIfPossible(Fd emptyFile) {
    ByteBuffer flags = Syscalls.buffer(Long.BYTES);
    int result = sys.libc().ioctl(emptyFile.number(), FS_IOC_GETFLAGS, flags);
    if (cannot(result, "ioctl(FS_IOC_GETFLAGS)", emptyFile)) {
      return false;
    }
    flags.putInt(0, flags.getInt(0) | FS_NOCOW_FL);
    result = sys.libc().ioctl(emptyFile.number(), FS_IOC_SETFLAGS, flags);
    return !cannot(result, "ioctl(FS_IOC_SETFLAGS)", emptyFile);
  }

  private boolean cannot(int result, String call, Fd file) {
    return sys.checkUnless(result, call, file, Errno.ENOTTY, Errno.EOPNOTSUPP, Errno.EINVAL) < 0;
  }
}
