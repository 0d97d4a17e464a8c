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
   * Waits for an event that happens after the call began.
   *
   * @throws StapesException TIMED_OUT
   */
  public Event await(Predicate<Event> wanted, Duration limit) {
    return engine.events().await(wanted, limit);
  }

  /** A listener at work. */
  public static final class Subscription implements AutoCloseable {
    private final AutoCloseable subscription;

    private Subscription(AutoCloseable subscription) {
      this.subscription = subscription;
    }

    /** Ends it; when this returns the listener is not called any more. */
    @Override
    public void close() {
      try {
        subscription.close();
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
