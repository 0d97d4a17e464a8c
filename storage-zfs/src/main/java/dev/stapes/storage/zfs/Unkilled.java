package dev.stapes.storage.zfs;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Command;
import dev.stapes.spi.Host;
import dev.stapes.spi.Output;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.function.BooleanSupplier;

/**
 * Changes that nobody kills, commands and calls: the kernel would finish what they have begun, and
 * nobody would know how far they came. Who is interrupted already begins none; who is interrupted
 * meanwhile waits for the end all the same.
 */
final class Unkilled {
  /** Why nobody waits for a zpool. */
  static final String STOPPED =
      "its zpool has stopped, as it cannot write: see to its disk, then zpool clear";

  /** What takes longer has another problem. */
  private static final Duration LIMIT = Duration.ofDays(1);

  private Unkilled() {}

  /** What runs a command to its end. */
  static Callable<Output> command(Host.Programs programs, Command command) {
    return () -> programs.run(command.timeout(LIMIT));
  }

  /**
   * Does something and waits for it.
   *
   * @param what it is, for errors
   * @param stuck whether what it works on has stopped: then nobody waits for it any more, and it
   *     goes on by itself when that does
   * @param late done when such a one has ended after all
   * @throws GivenUp where it was begun and has not ended
   */
  static <T> T finish(
      String subject, String what, Callable<T> work, BooleanSupplier stuck, Runnable late) {
    requireGoing(subject, stuck);
    requireNotInterrupted(subject, what);
    OwnThread<T> begun = OwnThread.begin(subject, "stapes-zfs-command", work);
    return begun.awaitThough(() -> giveUpWhere(stuck, subject, begun, late));
  }

  private static void giveUpWhere(
      BooleanSupplier stuck, String subject, OwnThread<?> work, Runnable late) {
    if (stuck.getAsBoolean()) {
      GivenUp error = new GivenUp(subject, work);
      error.afterwards(done -> late.run());
      throw error;
    }
  }

  /** Fails where what it works on has stopped. */
  static void requireGoing(String subject, BooleanSupplier stuck) {
    if (stuck.getAsBoolean()) {
      throw new StapesException(Kind.UNAVAILABLE, subject, STOPPED);
    }
  }

  /** Fails where this thread is interrupted: it begins nothing. */
  static void requireNotInterrupted(String subject, String what) {
    if (Thread.currentThread().isInterrupted()) {
      throw new StapesException(Kind.INTERRUPTED, subject, "interrupted before " + what);
    }
  }
}
