package dev.stapes.linux.host;

import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.util.function.Supplier;

/** Turns the kernel's errors into those that callers of Stapes know. */
final class Failures {
  private Failures() {}

  /** Runs a call and translates its failure. */
  static <T> T translated(Supplier<T> call) {
    try {
      return call.get();
    } catch (LinuxException e) {
      throw of(e);
    }
  }

  /** As {@link #translated}, for a call that answers nothing. */
  static void translating(Runnable call) {
    try {
      call.run();
    } catch (LinuxException e) {
      throw of(e);
    }
  }

  static StapesException of(LinuxException e) {
    return of(e, e.subject());
  }

  static StapesException of(LinuxException e, String subject) {
    String problem = e.call() + ": " + e.errnoName() + " (" + Errno.text(e.errno()) + ")";
    return new StapesException(kind(e.errno()), subject, problem, e);
  }

  private static Kind kind(int errno) {
    return switch (errno) {
      case Errno.ENOENT, Errno.ESRCH -> Kind.NOT_FOUND;
      case Errno.EEXIST, Errno.ENOTEMPTY -> Kind.CONFLICT;
      case Errno.EINVAL,
          Errno.ENOTDIR,
          Errno.EISDIR,
          Errno.ELOOP,
          Errno.EXDEV,
          Errno.ENAMETOOLONG,
          Errno.EMLINK,
          Errno.EOVERFLOW,
          Errno.E2BIG ->
          Kind.INVALID;
      case Errno.EBUSY, Errno.ETXTBSY -> Kind.BUSY;
      case Errno.EPERM, Errno.EACCES, Errno.EROFS -> Kind.DENIED;
      case Errno.ENOSPC,
          Errno.EDQUOT,
          Errno.EMFILE,
          Errno.ENFILE,
          Errno.ENOMEM,
          Errno.EAGAIN,
          Errno.EFBIG ->
          Kind.EXHAUSTED;
      case Errno.ENOSYS, Errno.EOPNOTSUPP, Errno.ENODEV -> Kind.UNSUPPORTED;
      default -> Kind.INTERNAL;
    };
  }
}
