package dev.stapes.storage.fs;

import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.util.function.Supplier;

/** Turns what the kernel answers into errors of Stapes. */
final class Failures {
  private Failures() {}

  /** Does some work; an error names the subject and what was wanted. */
  static <T> T naming(String subject, String wanted, Supplier<T> work) {
    try {
      return work.get();
    } catch (LinuxException e) {
      throw of(e, subject, wanted);
    }
  }

  /** The same without an answer. */
  static void naming(String subject, String wanted, Runnable work) {
    try {
      work.run();
    } catch (LinuxException e) {
      throw of(e, subject, wanted);
    }
  }

  static StapesException of(LinuxException e, String subject, String wanted) {
    return new StapesException(kind(e.errno()), subject, wanted + ": " + e.getMessage(), e);
  }

  private static Kind kind(int errno) {
    return switch (errno) {
      case Errno.ENOENT, Errno.ESTALE -> Kind.NOT_FOUND;
      case Errno.EEXIST, Errno.ENOTEMPTY -> Kind.CONFLICT;
      case Errno.EACCES, Errno.EPERM, Errno.EROFS -> Kind.DENIED;
      case Errno.EBUSY, Errno.ETXTBSY -> Kind.BUSY;
      case Errno.ENOTTY, Errno.EOPNOTSUPP, Errno.ENOSYS -> Kind.UNSUPPORTED;
      case Errno.ENOSPC, Errno.EDQUOT, Errno.ENOMEM, Errno.EMFILE, Errno.ENFILE, Errno.EMLINK ->
          Kind.EXHAUSTED;
      case Errno.ECANCELED -> Kind.INTERRUPTED;
      default -> Kind.INTERNAL;
    };
  }

  /** Adds an error of cleaning up to the one that made it necessary. */
  static void alsoDo(RuntimeException reason, Runnable cleanup) {
    try {
      cleanup.run();
    } catch (RuntimeException e) {
      if (e != reason) {
        reason.addSuppressed(e);
      }
    }
  }
}
