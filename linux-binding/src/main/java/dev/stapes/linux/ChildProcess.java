package dev.stapes.linux;

import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.Layout;
import dev.stapes.linux.ffi.Syscalls;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A process that a {@link Spawner} started. It is reaped as soon as it ends, whether anybody waits
 * for it or not; there is nothing to close.
 */
public final class ChildProcess {
  private final Syscalls sys;
  private final Pidfd pidfd;
  private final String program;
  private final CompletableFuture<ExitStatus> exit = new CompletableFuture<>();
  private boolean reaped;

  ChildProcess(Syscalls sys, Pidfd pidfd, String program) {
    this.sys = sys;
    this.pidfd = pidfd;
    this.program = program;
  }

  /** Its number; after its end the number may become another process's. */
  public int pid() {
    return pidfd.pid();
  }

  /**
   * Sends a signal, to this very process only.
   *
   * @return false if it has ended
   */
  public synchronized boolean signal(Signal signal) {
    return !reaped && pidfd.signal(signal);
  }

  /** Sends a signal by its number, 1 to 64. */
  public synchronized boolean signal(int signal) {
    return !reaped && pidfd.signal(signal);
  }

  /**
   * Sends a signal to its process group: to those of its descendants, too, that have not left it.
   *
   * @return false if it has ended
   */
  public synchronized boolean signalGroup(Signal signal) {
    if (reaped) {
      return false; // its number may be somebody else's by now
    }
    int result = sys.libc().kill(-pid(), signal.number());
    return sys.checkUnless(result, "kill", this, Errno.ESRCH) >= 0;
  }

  /** A descriptor of the process for others to keep; empty if it has ended. */
  public synchronized Optional<Fd> pidfd() {
    return reaped ? Optional.empty() : Optional.of(pidfd.fd().duplicate());
  }

  /** Whether it has not ended. */
  public boolean isAlive() {
    return !exit.isDone();
  }

  /**
   * Completes with the exit status. Dependent stages run on the thread that reaps all children:
   * they must not block; the {@code ...Async} methods take an executor. Completing it by hand has
   * no effect on the process.
   */
  public CompletableFuture<ExitStatus> onExit() {
    return exit.copy();
  }

  /** Waits for its end. */
  public ExitStatus awaitExit() throws InterruptedException {
    try {
      return exit.get();
    } catch (ExecutionException e) {
      throw lost(e);
    }
  }

  /** Waits for its end; empty if it has not come within the time. */
  public Optional<ExitStatus> awaitExit(Duration timeout) throws InterruptedException {
    try {
      return Optional.of(exit.get(Timeouts.nanos(timeout), TimeUnit.NANOSECONDS));
    } catch (TimeoutException e) {
      return Optional.empty();
    } catch (ExecutionException e) {
      throw lost(e);
    }
  }

  private static IllegalStateException lost(ExecutionException e) {
    return new IllegalStateException(String.valueOf(e.getCause()), e.getCause());
  }

  /** On the reaper's thread: the process is a zombie now. */
  void reap() {
    try {
      ExitStatus status = status();
      exit.complete(status);
    } catch (RuntimeException e) {
      exit.completeExceptionally(e);
    }
  }

  private synchronized ExitStatus status() {
    ByteBuffer info = Syscalls.buffer(Layout.siginfo_t_SIZEOF);
    reaped = true;
    try (pidfd) {
      int result;
      do {
        int fd = pidfd.fd().number();
        result = sys.libc().waitid(Constants.P_PIDFD, fd, info, Constants.WEXITED);
      } while (sys.interrupted(result));
      sys.check(result, "waitid", this);
    }
    boolean exited = info.getInt(Layout.siginfo_t_si_code) == Constants.CLD_EXITED;
    return new ExitStatus(exited, info.getInt(Layout.siginfo_t_si_status));
  }

  /** The spawner closes before the process has ended: another one is to reap it. */
  void abandon() {
    exit.completeExceptionally(
        new IllegalStateException(this + ": its spawner was closed before it ended"));
    synchronized (this) {
      if (!reaped) {
        reaped = true;
        Abandoned.add(pid());
        pidfd.close();
      }
    }
  }

  @Override
  public String toString() {
    return program + " (process " + pid() + ")";
  }
}
