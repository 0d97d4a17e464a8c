package dev.stapes.qemu.driver;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Processes;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** The process of a machine. */
final class Emulator implements AutoCloseable {
  private static final int SIGKILL = 9;
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  /** The sockets of a process go a moment before it does. */
  private static final Duration MOMENT = Duration.ofSeconds(1);

  private final String subject;
  private final Processes.Handle process;
  private final CompletionStage<Integer> exit;
  private final long pid;

  Emulator(String subject, Processes.Handle process) {
    this.subject = subject;
    this.process = process;
    this.exit = process.exit();
    this.pid = process.pid();
  }

  long pid() {
    return pid;
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** Completes with its code. */
  CompletionStage<Integer> exit() {
    return exit;
  }

  /** Ends it, and waits until it has. */
  void kill() {
    process.signal(SIGKILL);
    try {
      exit.toCompletableFuture().get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(Kind.INTERRUPTED, subject, "interrupted while it ends", e);
    } catch (TimeoutException e) {
      throw new StapesException(Kind.TIMED_OUT, subject, "process " + pid + " does not end", e);
    } catch (ExecutionException e) {
      throw new StapesException(Kind.INTERNAL, subject, "cannot tell whether it ended", e);
    }
  }

  /** Whether it has ended, or does so within a moment. */
  boolean endsNow() {
    try {
      exit.toCompletableFuture().get(MOMENT.toMillis(), TimeUnit.MILLISECONDS);
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    } catch (TimeoutException | ExecutionException e) {
      return false;
    }
  }

  /** Lets go of it; it goes on. */
  @Override
  public void close() {
    process.close();
  }
}
