package dev.stapes.internal.operation;

import dev.stapes.model.LeftoversException;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a change of several steps has done so far, and how to undo it. In try-with-resources:
 *
 * <pre>
 * try (Rollback rollback = new Rollback("instance web")) {
 *   volumes.create(id);
 *   rollback.add("volume " + id, () -> volumes.delete(id));
 *   ...
 *   rollback.commit();
 * }
 * </pre>
 *
 * For one thread.
 */
public final class Rollback implements AutoCloseable {
  /** How often an undo is tried that was disturbed by an interrupt. */
  private static final int TRIES = 3;

  private final String subject;
  private final ArrayDeque<Step> steps = new ArrayDeque<>();
  private boolean ended;

  /** Undoes one step. */
  @FunctionalInterface
  public interface Undo {
    /** May be called again after it failed. */
    void undo() throws Exception;
  }

  private record Step(String what, Undo undo) {}

  /**
   * An empty one.
   *
   * @param subject what is changed, for {@link LeftoversException}
   */
  public Rollback(String subject) {
    this.subject = subject;
  }

  /**
   * Remembers a step that was done.
   *
   * @param what it has made, in the words that name it where it is left behind, such as {@code
   *     volume containers/abc}
   * @param undo how to undo it; where it is disturbed by an interrupt it is called again
   * @throws StapesException INTERNAL after {@link #commit} or {@link #close}: nothing would undo it
   */
  public void add(String what, Undo undo) {
    if (ended) {
      throw new StapesException(
          Kind.INTERNAL, subject, "rollback has ended, cannot take over " + what);
    }
    steps.push(new Step(what, undo));
  }

  /** All is done and stays. */
  public void commit() {
    ended = true;
    steps.clear();
  }

  /**
   * Undoes everything that was added, newest first, unless {@link #commit} was called. Each step is
   * tried whatever became of the ones before, also when the thread is or gets interrupted; it is
   * interrupted afterwards then. Idempotent.
   *
   * @throws LeftoversException where something could not be undone; in try-with-resources it
   *     becomes a suppressed exception of the error that left the block
   */
  @Override
  public void close() {
    ended = true;
    List<String> leftovers = new ArrayList<>();
    List<Throwable> failures = new ArrayList<>();
    boolean interrupted = false;
    while (!steps.isEmpty()) {
      Step step = steps.pop();
      Throwable failure = null;
      for (int i = 0; i < TRIES; i++) {
        interrupted |= Thread.interrupted();
        failure = undo(step);
        boolean disturbed = Thread.interrupted();
        interrupted |= disturbed;
        if (failure == null || !(disturbed || isInterrupt(failure))) {
          break;
        }
      }
      if (failure != null) {
        leftovers.add(step.what());
        failures.add(failure);
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    if (!leftovers.isEmpty()) {
      LeftoversException error = new LeftoversException(subject, leftovers);
      failures.forEach(error::addSuppressed);
      throw error;
    }
  }

  // Whatever one step throws, an Error too, the others must still be undone.
  private static @Nullable Throwable undo(Step step) {
    try {
      step.undo().undo();
      return null;
    } catch (Exception | Error e) {
      return e;
    }
  }

  private static boolean isInterrupt(Throwable failure) {
    return failure instanceof InterruptedException
        || (failure instanceof StapesException e && e.kind() == Kind.INTERRUPTED);
  }
}
