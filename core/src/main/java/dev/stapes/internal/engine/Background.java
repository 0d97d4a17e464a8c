package dev.stapes.internal.engine;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What the engine does behind its callers. Closing it finishes what was begun. */
final class Background implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Background.class);
  private static final Duration IDLE = Duration.ofSeconds(5);
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private final ExecutorService executor;
  private final CountDownLatch closing = new CountDownLatch(1);

  Background(String name, int threads) {
    ThreadPoolExecutor pool =
        new ThreadPoolExecutor(
            threads,
            threads,
            IDLE.toMillis(),
            TimeUnit.MILLISECONDS,
            new LinkedBlockingQueue<>(),
            task -> {
              Thread thread = new Worker(task, "stapes-" + name);
              thread.setDaemon(true);
              return thread;
            });
    pool.allowCoreThreadTimeOut(true);
    executor = pool;
  }

  private static final class Worker extends Thread {
    Worker(Runnable task, String name) {
      super(task, name);
    }
  }

  /** Whether a thread is one of an engine's. */
  static boolean isWorker(Thread thread) {
    return thread instanceof Worker;
  }

  /** Ends all pauses, now and from now on: no task is to begin anything more. */
  void endPauses() {
    closing.countDown();
  }

  void execute(Runnable task) {
    try {
      executor.execute(
          () -> {
            try {
              task.run();
            } catch (RuntimeException e) {
              LOG.warn("background work failed, the next open will make up for it", e);
            }
          });
    } catch (RejectedExecutionException e) {
      LOG.info("closed already: the next open will do what was to be done behind");
    }
  }

  /** Has a task wait for a time; false: this is being closed, the task is to end. */
  boolean pause(Duration time) {
    try {
      return !closing.await(time.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  @Override
  public void close() {
    endPauses();
    executor.shutdown();
    boolean interrupted = false;
    try {
      if (!executor.awaitTermination(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
        LOG.warn("background work still goes on after {}", PATIENCE);
        executor.shutdownNow();
      }
    } catch (InterruptedException e) {
      interrupted = true;
      executor.shutdownNow();
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
