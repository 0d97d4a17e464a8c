package dev.stapes.linux;

import dev.stapes.linux.ffi.CString;
import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/**
 * Named pipes; see fifo(7). A plain open of one end waits for the other end and cannot be
 * interrupted in a JVM: nothing here does that.
 */
public final class Fifo {
  private static final Set<OpenFlag> READ =
      Set.of(OpenFlag.READ, OpenFlag.NON_BLOCKING, OpenFlag.NO_FOLLOW);
  private static final Set<OpenFlag> BOTH =
      Set.of(OpenFlag.READ, OpenFlag.WRITE, OpenFlag.NO_FOLLOW);

  private final Syscalls sys;

  public Fifo(Syscalls sys) {
    this.sys = sys;
  }

  /** Makes a FIFO with exactly these permissions, whatever the umask. */
  public void create(Path path, int permissions, long uid, long gid) {
    createBoth(path, permissions, uid, gid).close();
  }

  /** Makes one and opens its reading end, see {@link #openRead}. */
  public Fd createRead(Path path, int permissions, long uid, long gid) {
    return create(path, permissions, uid, gid, READ);
  }

  /** Makes one and opens both ends, see {@link #openBoth}. */
  public Fd createBoth(Path path, int permissions, long uid, long gid) {
    return create(path, permissions, uid, gid, BOTH);
  }

  private Fd create(Path path, int permissions, long uid, long gid, Set<OpenFlag> flags) {
    byte[] name = CString.of(path);
    sys.check(sys.libc().mkfifoat(Constants.AT_FDCWD, name, 0600), "mkfifo", path);
    Fd fd = null;
    try {
      fd = Fd.open(sys, path, flags);
      fd.chmod(permissions);
      fd.chown(uid, gid);
      return fd;
    } catch (RuntimeException e) {
      if (fd != null) {
        fd.close();
      }
      int result = sys.libc().unlinkat(Constants.AT_FDCWD, name, 0);
      if (result < 0) {
        e.addSuppressed(new LinuxException("unlink", path, sys.errno()));
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
    return Fd.open(sys, path, READ);
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
    return Fd.open(sys, path, BOTH);
  }
}
