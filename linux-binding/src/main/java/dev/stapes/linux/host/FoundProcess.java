package dev.stapes.linux.host;

import dev.stapes.linux.Pidfd;
import dev.stapes.linux.Spawner;
import dev.stapes.spi.Processes;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** A process that somebody else started. */
final class FoundProcess implements Processes.Handle {
  private final Pidfd pidfd;
  private final Spawner spawner;
  private final Executor listeners;
  private @Nullable CompletableFuture<Pidfd> watch;

  FoundProcess(Pidfd pidfd, Spawner spawner, Executor listeners) {
    this.pidfd = pidfd;
    this.spawner = spawner;
    this.listeners = listeners;
  }

  @Override
  public long pid() {
    return pidfd.pid();
  }

  @Override
  public synchronized void signal(int number) {
    Failures.translated(() -> pidfd.signal(number));
  }

  @Override
  public synchronized boolean isAlive() {
    return pidfd.isAlive();
  }

  @Override
  public synchronized CompletionStage<Integer> exit() {
    if (watch == null) {
      watch = Failures.translated(() -> spawner.watch(pidfd));
    }
    return watch.thenApplyAsync(ended -> -1, listeners);
  }

  @Override
  public synchronized void close() {
    if (watch != null) {
      watch.cancel(false);
    }
    pidfd.close();
  }
}
