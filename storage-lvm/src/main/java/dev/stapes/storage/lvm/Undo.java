package dev.stapes.storage.lvm;

/** Cleaning up after something that failed. */
final class Undo {
  private Undo() {}

  /** Adds an error of cleaning up to the one that made it necessary; goes on when interrupted. */
  static void after(RuntimeException reason, Runnable cleanup) {
    boolean interrupted = Thread.interrupted();
    try {
      cleanup.run();
    } catch (RuntimeException e) {
      if (e != reason) {
        reason.addSuppressed(e);
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
