package dev.stapes.linux;

/** Waits for a thread of ours that has been told to end. */
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
}
