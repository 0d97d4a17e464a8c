package dev.stapes.linux;

import dev.stapes.linux.ffi.Arch;
import dev.stapes.linux.ffi.CString;
import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.Layout;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.IntSupplier;

/** What the running kernel is and can do, and calls that belong to no other topic. */
public final class Kernel {
  /** What a kernel may lack. */
  public enum Feature {
    /** openat2(2), Linux 5.6. */
    OPENAT2,
    /** pidfd_open(2), Linux 5.3. */
    PIDFD,
    /** open_tree(2) and move_mount(2), Linux 5.2. */
    MOUNT_TREES,
    /** mount_setattr(2), Linux 5.12; whether a file system can do idmaps shows at its mount. */
    IDMAPPED_MOUNTS,
    /** close_range(2), Linux 5.9. */
    CLOSE_RANGE
  }

  private static final long CHUNK = 1L << 30;

  private final Syscalls sys;

  public Kernel(Syscalls sys) {
    this.sys = sys;
  }

  /** The release as uname(2) has it. */
  public String release() {
    Path file = Path.of("/proc/sys/kernel/osrelease");
    try {
      return Files.readString(file).trim();
    } catch (IOException e) {
      throw new UncheckedIOException(file + ": cannot be read: " + e.getMessage(), e);
    }
  }

  /** The release as numbers. */
  public KernelVersion version() {
    return KernelVersion.parse(release());
  }

  /** The kernel's name of the architecture. */
  public String architecture() {
    return Arch.current() == Arch.X86_64 ? "x86_64" : "aarch64";
  }

  /** Whether the kernel has a feature; found out by calling it with arguments that it refuses. */
  public boolean has(Feature feature) {
    byte[] here = CString.of("");
    ByteBuffer nothing = Syscalls.buffer(Layout.open_how_SIZEOF);
    nothing.putLong(Layout.open_how_resolve, -1);
    IntSupplier call =
        switch (feature) {
          case OPENAT2 -> () -> sys.openat2(-1, here, nothing);
          case PIDFD -> () -> sys.pidfdOpen(-1, 0);
          case MOUNT_TREES -> () -> sys.openTree(-1, here, -1);
          case IDMAPPED_MOUNTS -> () -> sys.mountSetattr(-1, here, -1, nothing);
          case CLOSE_RANGE -> () -> sys.closeRange(1, 0, 0);
        };
    return call.getAsInt() >= 0 || sys.errno() != Errno.ENOSYS;
  }

  /** Whether this process has root's effective user id. */
  public boolean isRoot() {
    return sys.libc().geteuid() == 0;
  }

  /** What file system a path is on, and its room. */
  public FileSystemInfo fileSystem(Path path) {
    ByteBuffer statfs = Syscalls.buffer(Layout.statfs_SIZEOF);
    sys.check(sys.libc().statfs(CString.of(path), statfs), "statfs", path);
    return read(statfs);
  }

  /** What file system an open file is on, and its room. */
  public FileSystemInfo fileSystem(Fd fd) {
    ByteBuffer statfs = Syscalls.buffer(Layout.statfs_SIZEOF);
    sys.check(sys.libc().fstatfs(fd.number(), statfs), "fstatfs", fd);
    return read(statfs);
  }

  private static FileSystemInfo read(ByteBuffer statfs) {
    long magic = statfs.getLong(Layout.statfs_f_type) & 0xFFFFFFFFL;
    long block = statfs.getLong(Layout.statfs_f_bsize);
    return new FileSystemInfo(
        FileSystemType.ofMagic(magic),
        magic,
        statfs.getLong(Layout.statfs_f_blocks) * block,
        statfs.getLong(Layout.statfs_f_bfree) * block,
        statfs.getLong(Layout.statfs_f_bavail) * block,
        statfs.getLong(Layout.statfs_f_files),
        statfs.getLong(Layout.statfs_f_ffree),
        statfs.getLong(Layout.statfs_f_fsid));
  }

  /**
   * Makes {@code target} share all of {@code source}'s blocks; ioctl_ficlone(2).
   *
   * @return false if the file system cannot, or they are on different ones
   */
  public boolean reflink(Fd source, Fd target) {
    int result = sys.libc().ioctl(target.number(), Constants.FICLONE, (long) source.number());
    int[] cannot = {Errno.EOPNOTSUPP, Errno.EXDEV, Errno.EINVAL, Errno.ENOTTY, Errno.ENOSYS};
    return sys.checkUnless(result, "ioctl(FICLONE)", target, cannot) >= 0;
  }

  /**
   * Copies bytes between files within the kernel, from and to where their offsets are;
   * copy_file_range(2).
   *
   * @return how many, less than {@code length} only at the end of the source
   * @throws LinuxException EXDEV or EINVAL where the kernel cannot copy between these two
   */
  public long copyRange(Fd source, Fd target, long length) {
    long done = 0;
    while (done < length) {
      long chunk = Math.min(length - done, CHUNK);
      long count =
          sys.libc().copy_file_range(source.number(), null, target.number(), null, chunk, 0);
      if (sys.interrupted(count)) {
        continue;
      }
      if (sys.check(count, "copy_file_range", target) == 0) {
        return done;
      }
      done += count;
    }
    return done;
  }

  /** Swaps two paths of one file system in one step; renameat2(2), RENAME_EXCHANGE. */
  public void exchange(Path one, Path other) {
    int here = Constants.AT_FDCWD;
    int result =
        sys.renameat2(here, CString.of(one), here, CString.of(other), Constants.RENAME_EXCHANGE);
    sys.check(result, "renameat2(RENAME_EXCHANGE)", one + " and " + other);
  }
}
