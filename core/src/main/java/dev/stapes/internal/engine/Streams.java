package dev.stapes.internal.engine;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/** Threads that move bytes for blocking calls; they live as long as such a call, and a little. */
final class Streams implements AutoCloseable {
  private static final long PATIENCE_SECONDS = 10;

  private final ExecutorService executor =
      Executors.newCachedThreadPool(
          task -> {
            Thread thread = new Thread(task, "stapes-stream");
            thread.setDaemon(true);
            return thread;
          });

  ExecutorService executor() {
    return executor;
  }

  @Override
  public void close() {
    executor.shutdownNow();
    try {
      executor.awaitTermination(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
