package dev.stapes.qemu.driver;

/** What has to be done also by a thread that was interrupted; it stays so, and is told later. */
final class Uninterrupted {
  private Uninterrupted() {}

  /** Does it as if the thread were not interrupted. */
  static void run(Runnable body) {
    boolean interrupted = Thread.interrupted();
    try {
      body.run();
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
