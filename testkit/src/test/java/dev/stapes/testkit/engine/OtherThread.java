package dev.stapes.testkit.engine;

import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

/** A call on a thread of its own. */
final class OtherThread {
  static final Duration SOON = Duration.ofSeconds(60);

  private final CompletableFuture<Boolean> interrupted = new CompletableFuture<>();
  private final Thread thread;

  private OtherThread(Runnable call) {
    thread =
        new Thread(
            () -> {
              try {
                call.run();
                interrupted.complete(Thread.currentThread().isInterrupted());
              } catch (RuntimeException | Error e) {
                interrupted.completeExceptionally(e);
              }
            });
    thread.setDaemon(true);
    thread.start();
  }

  static OtherThread begin(Runnable call) {
    return new OtherThread(call);
  }

  void interrupt() {
    thread.interrupt();
  }

  /** Returns when the call stands still waiting for something; fails where it ends instead. */
  OtherThread awaitWaiting() {
    while (thread.getState() != Thread.State.WAITING
        && thread.getState() != Thread.State.TIMED_WAITING) {
      assertTrue(thread.isAlive(), "it ended instead of waiting");
      Thread.onSpinWait();
    }
    return this;
  }

  /** Waits for the end of a call that succeeds; says whether its thread was interrupted then. */
  boolean join() throws Exception {
    return interrupted.get(SOON.toSeconds(), TimeUnit.SECONDS);
  }

  /** Waits for the end of a call that fails. */
  StapesException failure() throws Exception {
    try {
      join();
    } catch (ExecutionException e) {
      return assertInstanceOf(StapesException.class, e.getCause());
    }
    throw new AssertionError("it did not fail");
  }
}
