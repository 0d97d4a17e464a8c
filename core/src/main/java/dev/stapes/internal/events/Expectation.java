package dev.stapes.internal.events;

import dev.stapes.model.Event;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** Looks out for an event of an {@link EventBus} since it was made. For one thread. */
public final class Expectation implements AutoCloseable {
  private static final String SUBJECT = "events";

  private final EventBus bus;
  private final EventQueue queue;
  private final Predicate<Event> wanted;

  Expectation(EventBus bus, EventQueue queue, Predicate<Event> wanted) {
    this.bus = bus;
    this.queue = queue;
    this.wanted = wanted;
  }

  /**
   * Waits for the next event that is wanted.
   *
   * @param timeout at most so long; zero: only among those that are there
   * @throws StapesException TIMED_OUT; INTERRUPTED, and the thread still is; UNAVAILABLE where the
   *     bus was closed, or where more events came than the queue holds, so that it may have been
   *     among those: look at the state itself
   */
  public Event await(Duration timeout) {
    long deadline = System.nanoTime() + TimeUnit.NANOSECONDS.convert(timeout);
    try {
      while (true) {
        Event event = queue.poll(Duration.ofNanos(deadline - System.nanoTime()));
        if (event == null) {
          throw queue.finished()
              ? new StapesException(Kind.UNAVAILABLE, SUBJECT, "closed while waiting for one")
              : new StapesException(
                  Kind.TIMED_OUT, SUBJECT, "the one waited for did not come in " + timeout);
        }
        if (event instanceof Event.Missed missed) {
          throw new StapesException(
              Kind.UNAVAILABLE, SUBJECT, missed.count() + " were missed while waiting for one");
        }
        if (wanted.test(event)) {
          return event;
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(Kind.INTERRUPTED, SUBJECT, "interrupted while waiting for one", e);
    }
  }

  /** Looks out no more. Idempotent. */
  @Override
  public void close() {
    bus.unregister(queue);
  }
}
