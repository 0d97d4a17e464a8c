package dev.stapes.lxc.driver;

import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;

/** What the kernel refused, as one of the kinds that a caller can act on. */
final class KernelError {
  private KernelError() {}

  static StapesException of(LinuxException e, String subject, String problem) {
    Kind kind =
        switch (e.errno()) {
          case Errno.ENOSPC, Errno.EDQUOT, Errno.EMFILE, Errno.ENFILE, Errno.ENOMEM ->
              Kind.EXHAUSTED;
          case Errno.EPERM, Errno.EACCES, Errno.EROFS -> Kind.DENIED;
          default -> Kind.INTERNAL;
        };
    return new StapesException(kind, subject, problem + ": " + e.getMessage(), e);
  }

  /** The JDK tells the error number in words alone. */
  static StapesException of(IOException e, String subject, String problem) {
    String message = String.valueOf(e.getMessage());
    boolean exhausted =
        message.contains("No space left")
            || message.contains("quota exceeded")
            || message.contains("Too many open files");
    return new StapesException(
        exhausted ? Kind.EXHAUSTED : Kind.INTERNAL, subject, problem + ": " + e, e);
  }
}
