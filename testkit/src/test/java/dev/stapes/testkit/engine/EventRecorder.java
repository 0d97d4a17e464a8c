package dev.stapes.testkit.engine;

import dev.stapes.Events;
import dev.stapes.Stapes;
import dev.stapes.model.Event;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** Writes down what happens. */
final class EventRecorder implements AutoCloseable {
  private static final int SECONDS = 20;

  private final LinkedBlockingQueue<Event> events = new LinkedBlockingQueue<>();
  private final Events.Subscription subscription;

  private EventRecorder(Stapes stapes) {
    subscription = stapes.events().subscribe(events::add);
  }

  static EventRecorder of(Stapes stapes) {
    return new EventRecorder(stapes);
  }

  /** What came until an event, and that; fails where it does not come. */
  List<Event> await(Predicate<Event> last) {
    List<Event> all = new ArrayList<>();
    try {
      while (true) {
        Event event = events.poll(SECONDS, TimeUnit.SECONDS);
        if (event == null) {
          throw new AssertionError("did not come, but these: " + all);
        }
        all.add(event);
        if (last.test(event)) {
          return all;
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }

  @Override
  public void close() {
    subscription.close();
  }
}
