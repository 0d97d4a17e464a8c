package dev.stapes.internal.events;

import dev.stapes.model.Event;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A listener of an {@link EventBus} and the thread that tells it. */
public final class Subscription implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Subscription.class);

  private final EventBus bus;
  private final EventQueue queue;
  private final Consumer<Event> listener;
  private final Thread thread;
  private volatile boolean closed;

  Subscription(EventBus bus, EventQueue queue, Consumer<Event> listener) {
    this.bus = bus;
    this.queue = queue;
    this.listener = listener;
    this.thread = new Thread(this::run, "stapes-events");
    thread.setDaemon(false);
  }

  void start() {
    thread.start();
  }

  boolean reads(EventQueue other) {
    return queue == other;
  }

  private void run() {
    for (Event event = queue.take(); event != null && !closed; event = queue.take()) {
      tell(event);
      // What a listener did to its own thread concerns the next event no more.
      Thread.interrupted();
    }
  }

  // A listener is foreign code: whatever it throws must not end its subscription.
  private void tell(Event event) {
    try {
      listener.accept(event);
    } catch (RuntimeException | Error e) {
      log.warn("a listener failed at {}", event, e);
    }
  }

  /**
   * Ends it: when this returns the listener is not called any more, and what it was not told yet is
   * gone. It waits for a call that is under way, unless that call makes it. Idempotent.
   */
  @Override
  public void close() {
    closed = true;
    bus.unregister(queue);
    join();
  }

  /** Waits for the end of the thread, also when interrupted, unless this is it. */
  void join() {
    if (Thread.currentThread() == thread) {
      return;
    }
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
