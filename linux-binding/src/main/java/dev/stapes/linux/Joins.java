package dev.stapes.linux;

import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Waits for threads of ours that end by themselves, or have been told to. */
public final class Joins {
  private Joins() {}

  /** Waits although interrupted, and leaves the interrupt for the caller to see; not for itself. */
  public static void join(Thread thread) {
    if (Thread.currentThread() == thread) {
      return;
    }
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Does something on a thread of its own, which ends with it, and waits as {@link #join} does: for
   * what changes the thread itself, such as its namespaces.
   *
   * @param name of the thread
   */
  static void run(String name, Runnable work) {
    AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    Thread thread =
        new Thread(
            () -> {
              try {
                work.run();
              } catch (RuntimeException | Error e) {
                failure.set(e);
              }
            },
            name);
    thread.setDaemon(true);
    thread.start();
    join(thread);
    Throwable failed = failure.get();
    if (failed instanceof Error error) {
      throw error;
    }
    if (failed instanceof RuntimeException exception) {
      throw exception;
    }
  }
}
