package dev.stapes.storage.zfs;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/**
 * What a program lists, row by row: there may be more of them than a buffer should hold. It is read
 * by a thread of its own, as the kernel may end neither the program nor its pipe where a zpool has
 * stopped.
 */
final class ZfsList<T> {
  private final PipedProgram program;
  private final int columns;
  private final Function<List<String>, Optional<T>> parse;

  /** When there was a row, by {@link System#nanoTime}. */
  private volatile long heard = System.nanoTime();

  /**
   * The list of a program that was started.
   *
   * @param columns of each row
   * @param parse what a row is; empty for one that nobody wants
   */
  ZfsList(PipedProgram program, int columns, Function<List<String>, Optional<T>> parse) {
    this.program = program;
    this.columns = columns;
    this.parse = parse;
  }

  /**
   * Reads all of it.
   *
   * @param stuck whether what it is a list of has stopped
   * @param patience how long it may say nothing
   * @throws StapesException UNAVAILABLE, TIMED_OUT or INTERRUPTED: the program was killed, and ends
   *     when the kernel lets it
   */
  List<T> read(String subject, BooleanSupplier stuck, Duration patience) {
    OwnThread<List<T>> work = OwnThread.begin(subject, "stapes-zfs-list", this::rows);
    try {
      return work.await(
          () -> {
            Unkilled.requireGoing(subject, stuck);
            requireHeard(subject, patience);
          });
    } catch (InterruptedException e) {
      program.signal();
      work.settle();
      Thread.currentThread().interrupt();
      throw new StapesException(Kind.INTERRUPTED, subject, "interrupted, and its list killed", e);
    } catch (StapesException e) {
      program.signal();
      throw ZfsFailure.of(e, subject);
    }
  }

  private void requireHeard(String subject, Duration patience) {
    if (System.nanoTime() - heard > patience.toNanos()) {
      throw new StapesException(
          Kind.TIMED_OUT, subject, "zfs has listed nothing for " + patience.toSeconds() + " s");
    }
  }

  private List<T> rows() {
    List<T> found = new ArrayList<>();
    try (program) {
      Optional<StapesException> malformed = Optional.empty();
      try {
        ZfsTable.read(
            program.text(),
            columns,
            row -> {
              heard = System.nanoTime();
              parse.apply(row).ifPresent(found::add);
            });
      } catch (StapesException e) {
        malformed = Optional.of(e);
      }
      program.await(); // what it complains says more
      if (malformed.isPresent()) {
        throw malformed.get();
      }
      return found;
    } catch (IOException e) {
      throw new StapesException(
          Kind.INTERNAL, "output of zfs", "cannot be read: " + e.getMessage(), e);
    }
  }
}
