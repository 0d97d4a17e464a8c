package dev.stapes.qmp;

/** Waits for threads. */
final class Threads {
  private Threads() {}

  /** Joins it for certain, and leaves an interruption for later. */
  static void join(Thread thread) {
    boolean interrupted = false;
    while (true) {
      try {
        thread.join();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
