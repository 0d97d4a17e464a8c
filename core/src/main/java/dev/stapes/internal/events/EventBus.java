package dev.stapes.internal.events;

import dev.stapes.model.Event;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * Tells events to listeners. All listeners are told in the same order, each on a thread of its own,
 * so that a slow one delays neither the publisher nor the others. A listener that falls behind by
 * more than its queue loses the oldest events of it, and is told {@link Event.Missed} in their
 * place: the newest events always arrive. May be used from any thread.
 */
public final class EventBus implements AutoCloseable {
  /** How many events a listener can be behind, unless it says otherwise. */
  public static final int DEFAULT_CAPACITY = 1024;

  private final InstantSource clock;

  /** Guards all queues: what makes the order the same for all. */
  private final ReentrantLock lock = new ReentrantLock();

  private final List<EventQueue> queues = new ArrayList<>();
  private final List<Subscription> subscriptions = new ArrayList<>();
  private boolean closed;

  /** Without listeners; the clock stamps {@link Event.Missed}. */
  public EventBus(InstantSource clock) {
    this.clock = clock;
  }

  /** Tells an event to all who listen now. Never waits for a listener; does nothing once closed. */
  public void publish(Event event) {
    lock.lock();
    try {
      for (EventQueue queue : queues) {
        queue.add(event);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Listens with a queue of {@link #DEFAULT_CAPACITY}. */
  public Subscription subscribe(Consumer<Event> listener) {
    return subscribe(listener, DEFAULT_CAPACITY);
  }

  /**
   * Listens to the events that are published from now on. What the listener throws is logged, and
   * it is told the next event.
   *
   * @param capacity how many events it can be behind, at least 1
   * @throws StapesException UNAVAILABLE once the bus is closed
   */
  public Subscription subscribe(Consumer<Event> listener, int capacity) {
    lock.lock();
    try {
      EventQueue queue = register(capacity);
      Subscription subscription = new Subscription(this, queue, listener);
      subscriptions.add(subscription);
      subscription.start();
      return subscription;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Begins to look out for an event, so that nothing is missed between what causes it and {@link
   * Expectation#await}.
   *
   * @param wanted is asked on the thread that waits
   * @throws StapesException UNAVAILABLE once the bus is closed
   */
  public Expectation expect(Predicate<Event> wanted) {
    lock.lock();
    try {
      return new Expectation(this, register(DEFAULT_CAPACITY), wanted);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits for an event that is published from now on.
   *
   * @throws StapesException as {@link Expectation#await}
   */
  public Event await(Predicate<Event> wanted, Duration timeout) {
    try (Expectation expectation = expect(wanted)) {
      return expectation.await(timeout);
    }
  }

  private EventQueue register(int capacity) {
    if (closed) {
      throw new StapesException(Kind.UNAVAILABLE, "events", "closed");
    }
    if (capacity < 1) {
      throw StapesException.invalid("events", "capacity must be at least 1: " + capacity);
    }
    EventQueue queue = new EventQueue(lock, clock, capacity);
    queues.add(queue);
    return queue;
  }

  void unregister(EventQueue queue) {
    lock.lock();
    try {
      queues.remove(queue);
      queue.discard();
      subscriptions.removeIf(subscription -> subscription.reads(queue));
    } finally {
      lock.unlock();
    }
  }

  /**
   * Ends all subscriptions after the events that were published before, and waits for their
   * threads; a listener that closes the bus does not wait for itself. Who awaits an event that is
   * not among them gets UNAVAILABLE. Idempotent.
   */
  @Override
  public void close() {
    List<Subscription> last;
    lock.lock();
    try {
      closed = true;
      queues.forEach(EventQueue::finish);
      queues.clear();
      last = List.copyOf(subscriptions);
    } finally {
      lock.unlock();
    }
    last.forEach(Subscription::join);
  }
}
