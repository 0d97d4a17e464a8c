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
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The programs that read or write streams for a pool; they end when it is closed. */
final class Transfers {
  private static final Logger LOG = LoggerFactory.getLogger(Transfers.class);
  private static final Duration LOOK = Duration.ofSeconds(5);

  private final Host host;
  private final String subject;
  private final Duration patience;
  private final BooleanSupplier stuck;
  private final long lookMillis;
  private final Set<PipedProgram> running = new HashSet<>();

  /** Those of {@link #running} that a close has killed. */
  private final Set<PipedProgram> killed = new HashSet<>();

  private boolean closed;
  private boolean watched;

  /**
   * Those of a pool.
   *
   * @param stuck whether its zpool has stopped: then nobody waits for them any more
   */
  Transfers(Host host, String subject, BooleanSupplier stuck) {
    this(host, subject, PipedProgram.TIME_TO_END, stuck, LOOK);
  }

  /**
   * The same for tests.
   *
   * @param patience how long they have to end, all together, when they are killed
   * @param look how often somebody looks whether the zpool has stopped
   */
  Transfers(Host host, String subject, Duration patience, BooleanSupplier stuck, Duration look) {
    this.host = host;
    this.subject = subject;
    this.patience = patience;
    this.stuck = stuck;
    this.lookMillis = look.toMillis();
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
    Unkilled.requireGoing(subject, stuck);
    PipedProgram started = PipedProgram.start(host, command, in, out, this::forget);
    running.add(started);
    if (!watched) {
      Thread watch = new Thread(this::watch, "stapes-zfs-transfers");
      watch.setDaemon(true);
      watch.start();
      watched = true;
    }
    return started;
  }

  /** A zpool that has stopped lets no program end that waits for it, killed or not. */
  private synchronized void watch() {
    try {
      while (!running.isEmpty()) {
        wait(lookMillis);
        if (stuck.getAsBoolean()) {
          StapesException why = new StapesException(Kind.UNAVAILABLE, subject, Unkilled.STOPPED);
          List.copyOf(running).forEach(program -> giveUp(program, why));
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // nobody does that
    } finally {
      watched = false;
    }
  }

  private void giveUp(PipedProgram program, StapesException why) {
    try {
      program.giveUp(why);
    } catch (RuntimeException e) { // the others are given up, too
      LOG.warn("{}: a stream of a zpool that has stopped: {}", subject, e.getMessage(), e);
    }
  }

  /** Waits for the end of a program, and says what its complaint means. */
  void await(PipedProgram program) {
    try {
      program.await();
    } catch (StapesException e) {
      requireNotKilled(program);
      throw ZfsFailure.of(e, subject);
    }
  }

  private synchronized void ensureOpen() {
    if (closed) {
      throw closed();
    }
  }

  private synchronized void requireNotKilled(PipedProgram program) {
    if (closed || killed.contains(program)) {
      throw closed();
    }
  }

  private StapesException closed() {
    return new StapesException(Kind.UNAVAILABLE, subject, "closed");
  }

  private synchronized void forget(PipedProgram program) {
    running.remove(program);
    killed.remove(program);
    notifyAll();
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
      killed.addAll(all);
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

  /** Lets more of them begin: the pool was not closed after all. */
  synchronized void reopen() {
    closed = false;
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
