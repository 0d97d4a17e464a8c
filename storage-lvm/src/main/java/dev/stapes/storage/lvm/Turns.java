package dev.stapes.storage.lvm;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Supplier;

/** Lets work on one name go one after the other, and that on different names at once. */
final class Turns {
  private final String subject;
  private final Set<String> taken = new HashSet<>();

  /**
   * Nobody's turn yet.
   *
   * @param subject for errors
   */
  Turns(String subject) {
    this.subject = subject;
  }

  /**
   * Does it when nobody else does something with the name.
   *
   * @throws StapesException INTERRUPTED where the thread is while it waits
   */
  <T> T take(String name, Supplier<T> work) {
    begin(name);
    try {
      return work.get();
    } finally {
      end(name);
    }
  }

  /** The same without an answer. */
  void take(String name, Runnable work) {
    String unused =
        take(
            name,
            () -> {
              work.run();
              return name;
            });
  }

  private synchronized void begin(String name) {
    try {
      while (!taken.add(name)) {
        wait();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(Kind.INTERRUPTED, subject, "interrupted", e);
    }
  }

  private synchronized void end(String name) {
    taken.remove(name);
    notifyAll();
  }
}
