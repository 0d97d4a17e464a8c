package dev.stapes.qemu.driver;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.qmp.QmpClient;
import dev.stapes.qmp.QmpClosedException;
import dev.stapes.qmp.QmpCommand;
import dev.stapes.qmp.QmpCommandException;
import dev.stapes.qmp.QmpException;
import dev.stapes.qmp.QmpTimeoutException;
import dev.stapes.qmp.guest.GuestExecResult;
import dev.stapes.qmp.guest.GuestExecStatus;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The qemu-guest-agent in a guest. It is in the guest's hands: what it says is checked, and may
 * never come. Safe for threads; while one waits for a guest to boot, others wait with it.
 */
final class GuestAgent implements AutoCloseable {
  private static final Duration REPLY = Duration.ofSeconds(30);
  private static final long FIRST_PAUSE_NANOS = 1_000_000;
  private static final long LONGEST_PAUSE_NANOS = 50_000_000;

  private final String subject;
  private final AgentPort port;
  private final LongConsumer pause;
  private final AtomicReference<@Nullable QmpClient> client = new AtomicReference<>();
  private final ReentrantLock connecting = new ReentrantLock();
  private volatile boolean closed;

  GuestAgent(String subject, AgentPort port) {
    this(subject, port, LockSupport::parkNanos);
  }

  /**
   * One that waits in another way.
   *
   * @param pause between two questions for the end of a program, in nanoseconds
   */
  GuestAgent(String subject, AgentPort port, LongConsumer pause) {
    this.subject = subject;
    this.port = port;
    this.pause = pause;
    port.whenClosed(this::disconnect); // nobody answers any more what was asked before
  }

  /** The way to the agent. */
  interface AgentPort {
    /**
     * Waits until somebody in the guest has opened the port, and connects to it.
     *
     * @throws StapesException UNAVAILABLE where nobody has
     */
    QmpClient connect();

    /** The same, also where it was tried in vain a moment ago. */
    default QmpClient connectAnyway() {
      return connect();
    }

    /** Tells when somebody in the guest closes the port, where that can be known. */
    default void whenClosed(Runnable listener) {}
  }

  /** Waits until it is there; the guest may just be booting. */
  void await() throws InterruptedException {
    connected(AgentPort::connect);
  }

  /**
   * Connects to it, where nobody has.
   *
   * @throws StapesException UNAVAILABLE where it does not answer: it was asked for nothing then
   */
  void connect() {
    try {
      QmpClient unusedNow = connected(AgentPort::connect);
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  private StapesException interrupted(InterruptedException e) {
    Thread.currentThread().interrupt();
    return new StapesException(Kind.INTERRUPTED, subject, "interrupted", e);
  }

  /** Starts a program with nothing but its arguments. */
  void exec(List<String> command) {
    exec(command, List.of());
  }

  /**
   * Runs a program to its end; the agent forgets it then.
   *
   * @param limit for all of it; at least a millisecond is left for each of its commands
   * @return how it ended
   * @throws StapesException TIMED_OUT where it runs longer than the limit
   */
  GuestExecResult run(List<String> command, Duration limit) {
    long deadline = System.nanoTime() + limit.toNanos();
    long pid = exec(command, List.of(), limit);
    long nanos = FIRST_PAUSE_NANOS;
    while (true) {
      long left = deadline - System.nanoTime();
      GuestExecResult result =
          call(GuestExecStatus.of(pid), Duration.ofNanos(Math.max(left, FIRST_PAUSE_NANOS)));
      if (result.exited()) {
        return result;
      }
      if (left <= 0) {
        throw new StapesException(
            Kind.TIMED_OUT, subject, "what its agent started for it does not end");
      }
      pause.accept(nanos);
      if (Thread.currentThread().isInterrupted()) {
        throw new StapesException(Kind.INTERRUPTED, subject, "interrupted");
      }
      nanos = Math.min(2 * nanos, LONGEST_PAUSE_NANOS);
    }
  }

  /**
   * Starts a program with its arguments and variables.
   *
   * @param environment as {@code NAME=value}; empty: that of the agent
   * @return its process ID in the guest
   */
  long exec(List<String> command, List<String> environment) {
    return exec(command, environment, REPLY);
  }

  private long exec(List<String> command, List<String> environment, Duration patience) {
    dev.stapes.qmp.guest.GuestExec.Builder exec =
        dev.stapes.qmp.guest.GuestExec.builder(command.get(0))
            .arg(command.subList(1, command.size()));
    if (!environment.isEmpty()) {
      exec.env(environment);
    }
    return call(exec.build(), patience).pid();
  }

  private <R> R call(QmpCommand<R> command) {
    return call(command, REPLY);
  }

  /** Asks it; empty where it does not know the command, or may not or cannot answer it. */
  <R> Optional<R> ask(QmpCommand<R> command) {
    try {
      return Optional.of(call(command));
    } catch (StapesException e) {
      if (e.getCause() instanceof QmpCommandException) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /** Gives it a command, and waits so long for its answer. */
  <R> R call(QmpCommand<R> command, Duration patience) {
    return call(command, patience, AgentPort::connect);
  }

  /**
   * As {@link #call}, also where somebody else had no answer a moment ago: for what has to be done.
   */
  <R> R callAnyway(QmpCommand<R> command, Duration patience) {
    return call(command, patience, AgentPort::connectAnyway);
  }

  private <R> R call(
      QmpCommand<R> command, Duration patience, Function<AgentPort, QmpClient> connect) {
    String name = command.commandName();
    try {
      return connected(connect).execute(command, patience);
    } catch (InterruptedException e) {
      throw interrupted(e);
    } catch (QmpCommandException e) {
      throw new StapesException(
          Kind.UNAVAILABLE, subject, "its agent refuses " + name + ": " + e.getMessage(), e);
    } catch (QmpTimeoutException e) {
      disconnect(); // whoever has the port now may be another one
      throw new StapesException(Kind.TIMED_OUT, subject, "its agent does not answer to " + name, e);
    } catch (QmpClosedException e) {
      disconnect();
      throw new StapesException(Kind.UNAVAILABLE, subject, "its agent is gone", e);
    } catch (QmpException e) {
      throw new StapesException(
          Kind.UNAVAILABLE, subject, "its agent fails at " + name + ": " + e.getMessage(), e);
    }
  }

  private QmpClient connected(Function<AgentPort, QmpClient> connect) throws InterruptedException {
    QmpClient now = client.get();
    if (now != null) {
      return now;
    }
    connecting.lockInterruptibly();
    try {
      now = client.get();
      if (now == null) {
        requireOpen();
        now = connect.apply(port);
        client.set(now);
        if (closed) {
          disconnect();
        }
        requireOpen();
      }
      return now;
    } finally {
      connecting.unlock();
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new StapesException(Kind.UNAVAILABLE, subject, "it was let go of");
    }
  }

  /** The next command connects anew. Waits for nobody. */
  void disconnect() {
    QmpClient old = client.getAndSet(null);
    if (old != null) {
      old.close();
    }
  }

  @Override
  public void close() {
    closed = true;
    disconnect();
  }
}
