package dev.stapes;

import dev.stapes.internal.engine.Engine;
import dev.stapes.model.Event;
import dev.stapes.model.StapesException;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.Predicate;

/** What happens: lifecycle and operations. */
public final class Events {
  private final Engine engine;

  Events(Engine engine) {
    this.engine = engine;
  }

  /**
   * Tells a listener of each event from now on, in order, on a thread of its own, until the answer
   * is closed. A listener that is too slow loses events and is told how many ({@link
   * Event.Missed}); it never slows anybody down. What it throws is logged.
   */
  public Subscription subscribe(Consumer<Event> listener) {
    return new Subscription(engine.events().subscribe(listener));
  }

  /**
   * Looks out for an event from now on: for one that is caused by what is done next, between this
   * call and {@link Expectation#await}.
   *
   * <p>It belongs in a try-with-resources statement around both: {@code try (var stopped =
   * events.expect(wanted)) { act(); stopped.await(limit); }}
   *
   * @param wanted is asked on the thread that waits
   */
  public Expectation expect(Predicate<Event> wanted) {
    return new Expectation(engine.events().expect(wanted));
  }

  /**
   * Waits for an event that happens after the call began. For one that the caller itself causes
   * this is too late: {@link #expect} it first.
   *
   * @throws StapesException as {@link Expectation#await}
   */
  public Event await(Predicate<Event> wanted, Duration limit) {
    return engine.events().await(wanted, limit);
  }

  /** Looks out for an event since it was made. For one thread at a time. */
  public static final class Expectation implements AutoCloseable {
    private final dev.stapes.internal.events.Expectation expectation;

    private Expectation(dev.stapes.internal.events.Expectation expectation) {
      this.expectation = expectation;
    }

    /**
     * Waits for the event; a second call waits for the next one.
     *
     * @param limit at most so long; zero: only among those that happened
     * @throws StapesException TIMED_OUT; INTERRUPTED; UNAVAILABLE where the Stapes was closed, or
     *     where more than 1024 others came since, so that it may have been among those: look at the
     *     state itself then
     */
    public Event await(Duration limit) {
      return expectation.await(limit);
    }

    /** Looks out no more. Idempotent. */
    @Override
    public void close() {
      expectation.close();
    }
  }

  /** A listener at work. */
  public static final class Subscription implements AutoCloseable {
    private final dev.stapes.internal.events.Subscription subscription;

    private Subscription(dev.stapes.internal.events.Subscription subscription) {
      this.subscription = subscription;
    }

    /** Ends it; when this returns the listener is not called any more. */
    @Override
    public void close() {
      subscription.close();
    }
  }
}
