package dev.stapes.linux;

import dev.stapes.linux.ffi.CString;
import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.Syscalls;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/**
 * Named pipes; see fifo(7). A plain open of one end waits for the other end and cannot be
 * interrupted in a JVM: nothing here does that.
 */
public final class Fifo {
  private final Syscalls sys;

  public Fifo(Syscalls sys) {
    this.sys = sys;
  }

  /** Makes a FIFO with exactly these permissions, whatever the umask. */
  public void create(Path path, int permissions, long uid, long gid) {
    byte[] name = CString.of(path);
    sys.check(sys.libc().mkfifoat(Constants.AT_FDCWD, name, 0600), "mkfifo", path);
    try (Fd fd = Fd.open(sys, path, Set.of(OpenFlag.PATH_ONLY, OpenFlag.NO_FOLLOW))) {
      fd.chown(uid, gid);
      fd.chmod(permissions);
    } catch (RuntimeException e) {
      int result = sys.libc().unlinkat(Constants.AT_FDCWD, name, 0);
      if (result < 0) {
        e.addSuppressed(new dev.stapes.linux.ffi.LinuxException("unlink", path, sys.errno()));
      }
      throw e;
    }
  }

  /** Gives a FIFO to others. */
  public void chown(Path path, long uid, long gid) {
    try (Fd fd = Fd.open(sys, path, Set.of(OpenFlag.PATH_ONLY, OpenFlag.NO_FOLLOW))) {
      fd.chown(uid, gid);
    }
  }

  /**
   * Opens the reading end at once, writer or not. Until a writer has come, a read is the end of the
   * file: {@link #openBoth} avoids that.
   */
  public Fd openRead(Path path) {
    return open(path, EnumSet.of(OpenFlag.READ, OpenFlag.NON_BLOCKING, OpenFlag.NO_FOLLOW));
  }

  /** Opens the writing end; empty if nobody reads. */
  public Optional<Fd> openWrite(Path path) {
    int flags =
        Constants.O_WRONLY | Constants.O_NONBLOCK | Constants.O_NOFOLLOW | Constants.O_CLOEXEC;
    int result = sys.libc().open(CString.of(path), flags, 0);
    int number = sys.checkUnless(result, "open", path, Errno.ENXIO);
    return number < 0 ? Optional.empty() : Optional.of(Fd.adopt(sys, number, path.toString()));
  }

  /** Opens both ends in one descriptor: never waits, and never sees the end of the file. */
  public Fd openBoth(Path path) {
    return open(path, EnumSet.of(OpenFlag.READ, OpenFlag.WRITE, OpenFlag.NO_FOLLOW));
  }

  private Fd open(Path path, Set<OpenFlag> flags) {
    return Fd.open(sys, path, flags);
  }
}
