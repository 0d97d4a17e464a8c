package dev.stapes.internal.events;

import dev.stapes.model.Event;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** What one listener was not told yet. Guarded by the lock of its bus. */
final class EventQueue {
  private final ReentrantLock lock;
  private final Condition changed;
  private final InstantSource clock;
  private final int capacity;
  private final ArrayDeque<Event> events = new ArrayDeque<>();
  private @Nullable Instant missedAt;
  private long missed;
  private boolean finished;

  EventQueue(ReentrantLock lock, InstantSource clock, int capacity) {
    this.lock = lock;
    this.changed = lock.newCondition();
    this.clock = clock;
    this.capacity = capacity;
  }

  /** Adds one, in place of the oldest where there is no room. Under the lock. */
  void add(Event event) {
    if (finished) {
      return;
    }
    if (events.size() == capacity) {
      events.removeFirst();
      if (missed++ == 0) {
        missedAt = clock.instant();
      }
    }
    events.addLast(event);
    changed.signal();
  }

  /** No more will come. Under the lock. */
  void finish() {
    finished = true;
    changed.signal();
  }

  /** Nobody wants what is left. Under the lock. */
  void discard() {
    events.clear();
    missed = 0;
    missedAt = null;
    finish();
  }

  /** The next event; null: no more will come. Not interruptible. */
  @Nullable Event take() {
    lock.lock();
    try {
      while (empty() && !finished) {
        changed.awaitUninterruptibly();
      }
      return next();
    } finally {
      lock.unlock();
    }
  }

  /** The next event; null: none came in time, or no more will come. */
  @Nullable Event poll(Duration timeout) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      long left = TimeUnit.NANOSECONDS.convert(timeout);
      while (empty() && !finished && left > 0) {
        left = changed.awaitNanos(left);
      }
      return next();
    } finally {
      lock.unlock();
    }
  }

  boolean finished() {
    lock.lock();
    try {
      return finished;
    } finally {
      lock.unlock();
    }
  }

  private boolean empty() {
    return missedAt == null && events.isEmpty();
  }

  private @Nullable Event next() {
    if (missedAt != null) {
      Event.Missed gap = new Event.Missed(missedAt, missed);
      missedAt = null;
      missed = 0;
      return gap;
    }
    return events.pollFirst();
  }
}
