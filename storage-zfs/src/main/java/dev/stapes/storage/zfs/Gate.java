package dev.stapes.storage.zfs;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;

/** Lets calls into a pool while it is open, and keeps the others out while one is alone in it. */
final class Gate {
  private final String subject;
  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock(true);
  private boolean closed;

  Gate(String subject) {
    this.subject = subject;
  }

  /** Work that goes on beside others. */
  <T> T pass(Supplier<T> work) {
    return locked(lock.readLock(), work);
  }

  /** Work that waits until no other goes on, and keeps others out. */
  void alone(Runnable work) {
    locked(
        lock.writeLock(),
        () -> {
          work.run();
          return true;
        });
  }

  private <T> T locked(Lock held, Supplier<T> work) {
    held.lock();
    try {
      if (closed) {
        throw new StapesException(Kind.UNAVAILABLE, subject, "closed");
      }
      return work.get();
    } finally {
      held.unlock();
    }
  }

  /** Closes; the work is done the first time only, also where it fails. */
  void close(Runnable work) {
    lock.writeLock().lock();
    try {
      if (!closed) {
        closed = true;
        work.run();
      }
    } finally {
      lock.writeLock().unlock();
    }
  }
}
