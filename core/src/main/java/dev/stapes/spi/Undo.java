package dev.stapes.spi;

/** Cleaning up after something that failed. For implementations of this SPI. */
public final class Undo {
  private Undo() {}

  /**
   * Cleans up, also where this thread is interrupted, which it stays.
   *
   * @param reason what made it necessary; an error of the cleanup is added to it as suppressed
   */
  public static void after(Throwable reason, Runnable cleanup) {
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
