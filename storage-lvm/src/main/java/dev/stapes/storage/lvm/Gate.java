package dev.stapes.storage.lvm;

import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;

/** Lets calls into a pool while it is open. */
final class Gate {
  private final String subject;
  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock(true);
  private boolean closed;

  Gate(String subject) {
    this.subject = subject;
  }

  /** Work that goes on beside others. */
  <T> T pass(String wanted, Supplier<T> work) {
    lock.readLock().lock();
    try {
      ensureOpen();
      return naming(subject, wanted, work);
    } finally {
      lock.readLock().unlock();
    }
  }

  /** The same without an answer. */
  void pass(String wanted, Runnable work) {
    pass(
        wanted,
        () -> {
          work.run();
          return true;
        });
  }

  /** Work that waits until no other goes on, and keeps others out. */
  void alone(String wanted, Runnable work) {
    lock.writeLock().lock();
    try {
      ensureOpen();
      naming(wanted, work);
    } finally {
      lock.writeLock().unlock();
    }
  }

  /** Closes; the work is done the first time only, also where it fails. */
  void close(String wanted, Runnable work) {
    lock.writeLock().lock();
    try {
      if (!closed) {
        closed = true;
        naming(wanted, work);
      }
    } finally {
      lock.writeLock().unlock();
    }
  }

  private void naming(String wanted, Runnable work) {
    naming(
        subject,
        wanted,
        () -> {
          work.run();
          return true;
        });
  }

  /** Does some work; an error of the kernel names the subject and what was wanted. */
  static <T> T naming(String subject, String wanted, Supplier<T> work) {
    try {
      return work.get();
    } catch (LinuxException e) {
      throw new StapesException(kind(e.errno()), subject, wanted + ": " + e.getMessage(), e);
    }
  }

  private static Kind kind(int errno) {
    return switch (errno) {
      case Errno.ENOENT -> Kind.NOT_FOUND;
      case Errno.EEXIST -> Kind.CONFLICT;
      case Errno.EACCES, Errno.EPERM, Errno.EROFS -> Kind.DENIED;
      case Errno.EBUSY -> Kind.BUSY;
      case Errno.ENOTTY, Errno.EOPNOTSUPP, Errno.ENOSYS -> Kind.UNSUPPORTED;
      case Errno.ENOSPC, Errno.ENOMEM, Errno.EMFILE, Errno.ENFILE -> Kind.EXHAUSTED;
      default -> Kind.INTERNAL;
    };
  }

  private void ensureOpen() {
    if (closed) {
      throw new StapesException(Kind.UNAVAILABLE, subject, "closed");
    }
  }
}
