package dev.stapes.storage.fs;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;

/**
 * Lets calls into a pool while it is open, and one at a time to those that change the pool itself.
 */
final class Gate {
  private final String subject;
  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock(true);
  private final ReentrantLock turn = new ReentrantLock();
  private boolean closed;

  Gate(String subject) {
    this.subject = subject;
  }

  /** Work that goes on beside others. */
  <T> T pass(String wanted, Supplier<T> work) {
    lock.readLock().lock();
    try {
      ensureOpen();
      return Failures.naming(subject, wanted, work);
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

  /** The same, but one after the other of this kind: two would remove what the other removes. */
  void passInTurn(String wanted, Runnable work) {
    pass(
        wanted,
        () -> {
          turn.lock();
          try {
            work.run();
          } finally {
            turn.unlock();
          }
        });
  }

  /** Work that waits until no other goes on, and keeps others out. */
  void alone(String wanted, Runnable work) {
    lock.writeLock().lock();
    try {
      ensureOpen();
      Failures.naming(subject, wanted, work);
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
        Failures.naming(subject, wanted, work);
      }
    } finally {
      lock.writeLock().unlock();
    }
  }

  private void ensureOpen() {
    if (closed) {
      throw new StapesException(Kind.UNAVAILABLE, subject, "closed");
    }
  }
}
