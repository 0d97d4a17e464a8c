package dev.stapes.linux.host;

import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.net.SocketTimeoutException;
import java.nio.channels.ClosedByInterruptException;
import java.util.function.Supplier;

/** Turns what the kernel answers a storage driver into errors of Stapes. */
public final class DriverErrors {
  private DriverErrors() {}

  /**
   * Does some work.
   *
   * @param wanted for the message of an error, such as "cannot be opened"
   * @throws StapesException for an error of the kernel, and one of a file; others stay as they are
   */
  public static <T> T naming(String subject, String wanted, Supplier<T> work) {
    try {
      return work.get();
    } catch (LinuxException e) {
      throw new StapesException(kind(e.errno()), subject, wanted + ": " + e.getMessage(), e);
    } catch (UncheckedIOException e) {
      throw new StapesException(kind(e), subject, wanted + ": " + e.getMessage(), e);
    }
  }

  /** What a caller can do about an error. */
  public static Kind kind(int errno) {
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

  /** What a caller can do about a stream of his that broke. */
  public static Kind kindOfStream(IOException error) {
    boolean interrupted =
        error instanceof ClosedByInterruptException
            || (error instanceof InterruptedIOException
                && !(error instanceof SocketTimeoutException))
            || Thread.currentThread().isInterrupted();
    return interrupted ? Kind.INTERRUPTED : Kind.UNAVAILABLE;
  }

  /** The same of one of Java's own I/O, which tells the kernel's reason in words alone. */
  public static Kind kind(Exception error) {
    String why = String.valueOf(error.getMessage());
    return why.contains("No space left") || why.contains("quota exceeded")
        ? Kind.EXHAUSTED
        : Kind.INTERNAL;
  }
}
