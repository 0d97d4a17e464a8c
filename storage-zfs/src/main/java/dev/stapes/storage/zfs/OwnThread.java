package dev.stapes.storage.zfs;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Work on a thread of its own. What hangs in the kernel ends for nobody, also where it is killed:
 * who waits for it can give it up.
 */
final class OwnThread<T> {
  private static final Logger LOG = LoggerFactory.getLogger(OwnThread.class);
  private static final long LOOK_SECONDS = 5;

  private final String subject;
  private final CompletableFuture<T> result = new CompletableFuture<>();

  /** Whether it succeeded, when all have been told so. */
  private CompletableFuture<Boolean> told = result.handle((value, error) -> error == null);

  private OwnThread(String subject) {
    this.subject = subject;
  }

  /**
   * Begins some.
   *
   * @param subject for errors
   * @param name of the thread
   */
  static <T> OwnThread<T> begin(String subject, String name, Callable<T> work) {
    OwnThread<T> begun = new OwnThread<>(subject);
    Thread thread = new Thread(() -> begun.run(work), name);
    thread.setDaemon(true);
    thread.start();
    return begun;
  }

  private void run(Callable<T> work) {
    try {
      result.complete(work.call());
    } catch (Throwable e) {
      result.completeExceptionally(e);
    }
  }

  /**
   * Waits for its result.
   *
   * @param look done now and then meanwhile; what it throws ends the waiting, and not the work
   * @throws StapesException that of the work; INTERNAL for anything else that it threw
   * @throws InterruptedException the work goes on
   */
  T await(Runnable look) throws InterruptedException {
    return await(result, look);
  }

  private <R> R await(CompletableFuture<R> awaited, Runnable look) throws InterruptedException {
    while (true) {
      try {
        return awaited.get(LOOK_SECONDS, TimeUnit.SECONDS);
      } catch (TimeoutException e) {
        look.run();
      } catch (ExecutionException e) {
        if (e.getCause() instanceof StapesException refused) {
          throw refused;
        }
        throw new StapesException(Kind.INTERNAL, subject, "cannot run zfs: " + e.getCause(), e);
      }
    }
  }

  /**
   * The same for somebody who is interrupted meanwhile, and is so when this returns.
   *
   * @param look as for {@link #await}
   */
  T awaitThough(Runnable look) {
    return awaitThough(result, look);
  }

  /**
   * The same for something else that the work completes, however it ends.
   *
   * @param look as for {@link #await}
   */
  <R> R awaitThough(CompletableFuture<R> awaited, Runnable look) {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return await(awaited, look);
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Waits a moment for the end of what was told to end; it may hang. */
  void settle() {
    try {
      result.get(LOOK_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      // nobody wants to know
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Has somebody told when it has ended, by its thread, or at once where it has: one after the
   * other, as they came.
   *
   * @param listener told whether it succeeded
   */
  synchronized void whenEnded(Consumer<Boolean> listener) {
    told =
        told.thenApply(
            success -> {
              try {
                listener.accept(success);
              } catch (RuntimeException e) { // the others are told, too
                LOG.warn("{}: the end of a command was not noted", subject, e);
              }
              return success;
            });
  }
}
