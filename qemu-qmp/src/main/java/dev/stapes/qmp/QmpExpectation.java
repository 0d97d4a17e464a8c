package dev.stapes.qmp;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;

/**
 * An event that will come. It is looked out for from the moment on that this was made, so that the
 * command that brings it about can be given in between.
 *
 * @param <E> which event
 */
public final class QmpExpectation<E extends QmpEvent> implements AutoCloseable {
  private final String name;
  private final Class<E> type;
  private final EventHub events;
  private final EventHub.Receiver receiver;
  private final CompletableFuture<E> first = new CompletableFuture<>();

  QmpExpectation(String name, EventHub events, Class<E> type, Predicate<? super E> predicate) {
    this.name = name;
    this.type = type;
    this.events = events;
    this.receiver =
        new EventHub.Receiver() {
          @Override
          public void event(QmpEvent event) {
            look(event, predicate);
          }

          @Override
          public void ended(QmpClosedException why) {
            first.completeExceptionally(why);
          }
        };
    events.add(receiver);
  }

  private void look(QmpEvent event, Predicate<? super E> predicate) {
    try {
      if (!first.isDone() && type.isInstance(event) && predicate.test(type.cast(event))) {
        first.complete(type.cast(event));
        close();
      }
    } catch (RuntimeException e) {
      first.completeExceptionally(e);
      close();
    }
  }

  /** Whether it has come. */
  public boolean isFulfilled() {
    return first.isDone() && !first.isCompletedExceptionally();
  }

  /**
   * Waits for the event.
   *
   * @throws QmpTimeoutException if it does not come in time; it can be waited for again
   * @throws QmpClosedException if the connection ends before
   * @throws InterruptedException if the thread is interrupted
   */
  public E await(Duration timeout) throws InterruptedException {
    try {
      return first.get(Timers.left(Timers.after(timeout)), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      throw new QmpTimeoutException(
          name + ": no " + type.getSimpleName() + " within " + timeout.toMillis() + " ms");
    } catch (ExecutionException e) {
      if (e.getCause() instanceof QmpClosedException why) {
        throw Waiting.again(why);
      }
      throw new IllegalStateException(name + ": the predicate failed", e.getCause());
    }
  }

  /** Looks out no longer. */
  @Override
  public void close() {
    events.remove(receiver);
  }
}
