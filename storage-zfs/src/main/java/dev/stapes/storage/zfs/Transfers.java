package dev.stapes.storage.zfs;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Host;
import dev.stapes.spi.Processes.Stdio;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The programs that read or write streams for a pool; they end when it is closed. */
final class Transfers {
  private final Host host;
  private final String subject;
  private final Duration patience;
  private final Set<PipedProgram> running = new HashSet<>();
  private boolean closed;

  Transfers(Host host, String subject) {
    this(host, subject, PipedProgram.TIME_TO_END);
  }

  /**
   * Those of a pool.
   *
   * @param patience how long they have to end, all together, when they are killed
   */
  Transfers(Host host, String subject, Duration patience) {
    this.host = host;
    this.subject = subject;
    this.patience = patience;
  }

  /** Starts a program that reads a stream. */
  PipedProgram reading(List<String> command) {
    return start(command, Stdio.pipe(), Stdio.none());
  }

  /** Starts a program that writes a stream. */
  PipedProgram writing(List<String> command) {
    return start(command, Stdio.none(), Stdio.pipe());
  }

  private synchronized PipedProgram start(List<String> command, Stdio in, Stdio out) {
    ensureOpen();
    PipedProgram started = PipedProgram.start(host, command, in, out, this::forget);
    running.add(started);
    return started;
  }

  /** Waits for the end of a program, and says what its complaint means. */
  void await(PipedProgram program) {
    try {
      program.await();
    } catch (StapesException e) {
      ensureOpen();
      throw ZfsFailure.of(e, subject);
    }
  }

  private synchronized void ensureOpen() {
    if (closed) {
      throw new StapesException(Kind.UNAVAILABLE, subject, "closed");
    }
  }

  private synchronized void forget(PipedProgram program) {
    running.remove(program);
  }

  /**
   * Kills them, and waits for all of them together; who awaits one is told that the pool is closed.
   *
   * @throws StapesException UNAVAILABLE where some hang
   */
  void close() {
    List<PipedProgram> all;
    synchronized (this) {
      closed = true;
      all = List.copyOf(running);
    }
    all.forEach(PipedProgram::signal);
    long end = System.nanoTime() + patience.toNanos();
    List<StapesException> hanging = new ArrayList<>();
    all.forEach(program -> awaitEnd(program, end).ifPresent(hanging::add));
    if (!hanging.isEmpty()) {
      StapesException error =
          new StapesException(
              Kind.UNAVAILABLE, subject, "streams that do not end: " + hanging.size());
      hanging.forEach(error::addSuppressed);
      throw error;
    }
  }

  /** Also for somebody who is interrupted; the answer is why it was in vain. */
  private static Optional<StapesException> awaitEnd(PipedProgram program, long end) {
    boolean interrupted = Thread.interrupted();
    try {
      while (true) {
        try {
          program.awaitEnd(Duration.ofNanos(Math.max(0, end - System.nanoTime())));
          return Optional.empty();
        } catch (StapesException e) {
          if (e.kind() != Kind.INTERRUPTED) {
            return Optional.of(e);
          }
          interrupted = Thread.interrupted();
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
