package dev.stapes.storage.zfs;

import dev.stapes.linux.zfs.ZfsCalls;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Command;
import dev.stapes.spi.Host;
import dev.stapes.spi.Output;
import dev.stapes.spi.Processes.Stdio;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.ToIntFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs commands of {@code zfs} and {@code zpool}, and calls of the library below them. Nobody waits
 * for a zpool that has stopped, and nobody kills what changes something.
 */
final class Commands {
  private static final Logger LOG = LoggerFactory.getLogger(Commands.class);

  /** A question waits for a disk that is busy, but not without end. */
  private static final Duration QUESTION = Duration.ofMinutes(10);

  /** Errors that do not say whether a command was done. */
  private static final Set<Kind> UNCLEAR = Set.of(Kind.INTERNAL, Kind.INTERRUPTED, Kind.TIMED_OUT);

  private final Host host;
  private final String subject;
  private final Runnable failed;
  private final Suspension suspension;
  private final Optional<ZfsCalls> calls;

  /**
   * Those of a pool.
   *
   * @param failed done when one that changes something failed: nobody knows how far it came; and
   *     again when one that nobody waits for any more has ended
   */
  Commands(PoolContext pool, Runnable failed) {
    this.host = pool.host();
    this.subject = pool.subject();
    this.suspension = Suspension.of(pool.machine());
    this.failed = failed;
    this.calls = pool.calls();
  }

  /** Lets a zpool go on that could not write; one that can is left alone. */
  void goOn(String zpool) {
    if (suspension.of(zpool)) {
      LOG.warn("{}: the zpool {} had stopped, and is to go on", subject, zpool);
      ask("zpool", "clear", zpool);
    }
  }

  /**
   * What {@code zfs list} tells, row by row.
   *
   * @param parse what a row is; empty for one that nobody wants
   */
  <T> List<T> list(int columns, Function<List<String>, Optional<T>> parse, String... arguments) {
    List<String> command = new ArrayList<>(List.of("zfs", "list", "-H", "-p"));
    command.addAll(List.of(arguments));
    String zpool = Suspension.zpool(command);
    Unkilled.requireGoing(subject, () -> suspension.of(zpool));
    Unkilled.requireNotInterrupted(subject, "list");
    PipedProgram program =
        PipedProgram.start(host, command, Stdio.none(), Stdio.pipe(), ended -> {});
    return new ZfsList<>(program, columns, parse)
        .read(subject, () -> suspension.of(zpool), QUESTION);
  }

  /** Runs a command that changes nothing; of a zpool that stops nobody waits for the answer. */
  String question(String... arguments) {
    Command command = Command.of(arguments).timeout(QUESTION);
    String zpool = Suspension.zpool(List.of(arguments));
    BooleanSupplier stuck = () -> suspension.of(zpool);
    Unkilled.requireGoing(subject, stuck);
    Unkilled.requireNotInterrupted(subject, arguments[1]);
    OwnThread<Output> work =
        OwnThread.begin(subject, "stapes-zfs-question", () -> host.programs().run(command));
    try {
      return work.await(() -> Unkilled.requireGoing(subject, stuck)).stdout();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(Kind.INTERRUPTED, subject, arguments[1] + ": interrupted", e);
    } catch (StapesException e) {
      throw ZfsFailure.of(e, subject);
    }
  }

  /** Runs a command that changes something. */
  void change(String... arguments) {
    change(List.of(arguments));
  }

  /** The same. */
  void change(List<String> arguments) {
    change(
        arguments, Unkilled.command(host.programs(), Command.of(arguments.toArray(new String[0]))));
  }

  /** Does what a command says, by it or otherwise. */
  private <T> T change(List<String> arguments, Callable<T> work) {
    String zpool = Suspension.zpool(arguments);
    try {
      return Unkilled.finish(subject, arguments.get(1), work, () -> suspension.of(zpool), failed);
    } catch (Refused e) {
      throw e;
    } catch (StapesException e) {
      failed.run();
      throw ZfsFailure.of(e, subject);
    } catch (RuntimeException e) {
      failed.run();
      throw e;
    }
  }

  /** Does what a command does whose result is a name, by a call where that can be. */
  void make(Place result, List<String> arguments, ToIntFunction<ZfsCalls> call) {
    doneIfThere(
        result,
        () -> {
          if (!done(arguments, call)) {
            change(arguments);
          }
        });
  }

  /** Runs a command whose result is a name. */
  void make(Place result, List<String> arguments) {
    doneIfThere(result, () -> change(arguments));
  }

  /**
   * Does what a command does by a call, where it can be: what that refuses the command refuses,
   * too, and says why.
   */
  boolean done(List<String> arguments, ToIntFunction<ZfsCalls> call) {
    return calls.isPresent() && attempt(calls.get(), arguments, call) == 0;
  }

  /** The error number of a call, which does what a command says. */
  int attempt(ZfsCalls library, List<String> arguments, ToIntFunction<ZfsCalls> call) {
    try {
      return change(
          arguments,
          () -> {
            int error = call.applyAsInt(library);
            if (error != 0) {
              throw new Refused(subject, error);
            }
            return error;
          });
    } catch (Refused e) {
      LOG.debug("{}: {}: error {}", subject, arguments, e.error());
      return e.error();
    }
  }

  /** What failed although its result is there was done. */
  private void doneIfThere(Place result, Runnable work) {
    try {
      work.run();
    } catch (StapesException e) {
      if (!UNCLEAR.contains(e.kind()) || !isThere(result, e)) {
        throw e;
      }
      LOG.info("{}: done nevertheless: {}", subject, e.getMessage());
    }
  }

  /** Looks, also for somebody who is interrupted. */
  private boolean isThere(Place place, StapesException reason) {
    boolean interrupted = Thread.interrupted();
    try {
      ask("zfs", "list", "-H", "-o", "name", place.toString());
      return true;
    } catch (StapesException e) {
      if (e.kind() != Kind.NOT_FOUND) {
        reason.addSuppressed(e);
      }
      return false;
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Runs a command that changes nothing, or that may be done twice. */
  String ask(String... arguments) {
    return run(Command.of(arguments).timeout(QUESTION));
  }

  /** Runs a command, and kills it where it takes longer than it may. */
  String run(Command command) {
    try {
      return host.programs().run(command).stdout();
    } catch (StapesException e) {
      throw ZfsFailure.of(e, subject);
    }
  }
}
