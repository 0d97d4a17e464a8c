package dev.stapes.storage.lvm;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * One after the other for each name, and beside all that have another one. The same thread may take
 * a turn of the same name again meanwhile.
 */
final class Turns {
  private final String subject;
  private final Map<String, Turn> turns = new HashMap<>();

  /** Of one name. */
  private static final class Turn {
    private final ReentrantLock lock = new ReentrantLock();

    /** Those who have it, or wait for it; guarded by the monitor of all. */
    private int users;
  }

  /**
   * Nobody's turn yet.
   *
   * @param subject for errors
   */
  Turns(String subject) {
    this.subject = subject;
  }

  /** Does something that may take its time, also on an interrupted thread. */
  void take(String name, Runnable work) {
    Turn turn = enter(name);
    try {
      turn.lock.lock();
      try {
        work.run();
      } finally {
        turn.lock.unlock();
      }
    } finally {
      leave(name, turn);
    }
  }

  /**
   * Does it, where nobody interrupts the wait.
   *
   * @throws StapesException INTERRUPTED
   */
  <T> T await(String name, Supplier<T> work) {
    Turn turn = enter(name);
    try {
      turn.lock.lockInterruptibly();
      try {
        return work.get();
      } finally {
        turn.lock.unlock();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(Kind.INTERRUPTED, subject, "interrupted", e);
    } finally {
      leave(name, turn);
    }
  }

  private Turn enter(String name) {
    synchronized (turns) {
      Turn turn = turns.computeIfAbsent(name, of -> new Turn());
      turn.users++;
      return turn;
    }
  }

  private void leave(String name, Turn turn) {
    synchronized (turns) {
      turn.users--;
      if (turn.users == 0) {
        turns.remove(name);
      }
    }
  }
}
