package dev.stapes.linux.ffi;

import org.jspecify.annotations.Nullable;

/** A system call that failed: which call, on what, and why. */
public final class LinuxException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String call;
  private final String subject;
  private final int errno;

  /**
   * @param call the C name of the call, such as {@code mount}
   * @param subject what it was called on: a path, a pid, a name
   * @param errno the error number, see {@link Errno}
   */
  public LinuxException(String call, @Nullable Object subject, int errno) {
    super(message(call, String.valueOf(subject), errno));
    this.call = call;
    this.subject = String.valueOf(subject);
    this.errno = errno;
  }

  private static String message(String call, String subject, int errno) {
    return subject + ": " + call + ": " + Errno.name(errno) + " (" + Errno.text(errno) + ")";
  }

  /** The C name of the call. */
  public String call() {
    return call;
  }

  /** What it was called on. */
  public String subject() {
    return subject;
  }

  /** The error number, one of {@link Errno}. */
  public int errno() {
    return errno;
  }

  /** The error's symbolic name, such as {@code ENOENT}. */
  public String errnoName() {
    return Errno.name(errno);
  }

  /** Whether the error is one of {@code errnos}. */
  public boolean is(int... errnos) {
    for (int candidate : errnos) {
      if (candidate == errno) {
        return true;
      }
    }
    return false;
  }
}
