package dev.stapes.qmp;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The one thread on which the code of others runs: listeners, and what follows on futures. */
final class Dispatcher implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Dispatcher.class);

  private final LinkedBlockingQueue<Runnable> tasks = new LinkedBlockingQueue<>();
  private final Thread thread;
  private volatile boolean closed;

  Dispatcher(ThreadFactory threads) {
    this.thread = threads.newThread(this::run);
    thread.setName("stapes-qmp-events");
    thread.start();
  }

  /** Runs it after all that came before. */
  void execute(Runnable task) {
    tasks.add(task);
  }

  boolean isCurrent() {
    return Thread.currentThread() == thread;
  }

  private void run() {
    while (!closed || !tasks.isEmpty()) {
      try {
        tasks.take().run();
      } catch (InterruptedException e) {
        // A listener that did not take notice of it, or nobody: what is left is still told.
        LOG.debug("interrupted");
      } catch (RuntimeException | StackOverflowError | OutOfMemoryError | LinkageError e) {
        LOG.warn("a listener failed: {}", e.getMessage(), e);
      }
    }
  }

  /** Tells what is left, interrupting a listener that is at it, and joins the thread. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    execute(() -> closed = true);
    if (!isCurrent()) {
      thread.interrupt();
      Threads.join(thread);
    }
  }
}
