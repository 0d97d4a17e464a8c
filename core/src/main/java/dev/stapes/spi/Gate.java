package dev.stapes.spi;

import dev.stapes.model.StapesException;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;

/**
 * Lets calls into something while it is open, such as a pool, and keeps the others out while one is
 * alone in it. For implementations of this SPI.
 */
public final class Gate {
  private final String subject;
  private final Naming naming;
  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock(true);
  private final ReentrantLock turn = new ReentrantLock();
  private boolean closed;

  /** Does some work, whose errors name a subject and what was wanted. */
  @FunctionalInterface
  public interface Naming {
    /** Does it, once, on this thread. */
    <T> T call(String subject, String wanted, Supplier<T> work);
  }

  /** An open one, for work whose errors are those of Stapes already. */
  public Gate(String subject) {
    this(subject, Gate::plainly);
  }

  /**
   * An open one.
   *
   * @param subject what errors are about
   * @param naming turns the errors of a driver's work into those of Stapes
   */
  public Gate(String subject, Naming naming) {
    this.subject = subject;
    this.naming = naming;
  }

  /**
   * Work that goes on beside others.
   *
   * @param wanted for the message of an error, such as "copy"
   * @throws StapesException UNAVAILABLE where it is closed
   */
  public <T> T pass(String wanted, Supplier<T> work) {
    return locked(lock.readLock(), wanted, work);
  }

  /** The same without an answer. */
  public void pass(String wanted, Runnable work) {
    pass(wanted, answering(work));
  }

  /** The same, but one after the other of this kind: two would remove what the other removes. */
  public void passInTurn(String wanted, Runnable work) {
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
  public void alone(String wanted, Runnable work) {
    locked(lock.writeLock(), wanted, answering(work));
  }

  private <T> T locked(Lock held, String wanted, Supplier<T> work) {
    held.lock();
    try {
      if (closed) {
        throw new StapesException(StapesException.Kind.UNAVAILABLE, subject, "closed");
      }
      return naming.call(subject, wanted, work);
    } finally {
      held.unlock();
    }
  }

  /** Closes; the work is done the first time only, also where it fails. */
  public void close(String wanted, Runnable work) {
    lock.writeLock().lock();
    try {
      if (!closed) {
        closed = true;
        naming.call(subject, wanted, answering(work));
      }
    } finally {
      lock.writeLock().unlock();
    }
  }

  /** Closes once the work is done; where that fails it stays open, to be tried again. */
  public void closeAfter(String wanted, Runnable work) {
    lock.writeLock().lock();
    try {
      if (!closed) {
        naming.call(subject, wanted, answering(work));
        closed = true;
      }
    } finally {
      lock.writeLock().unlock();
    }
  }

  private static <T> T plainly(String subject, String wanted, Supplier<T> work) {
    return work.get();
  }

  private static Supplier<Boolean> answering(Runnable work) {
    return () -> {
      work.run();
      return true;
    };
  }
}
