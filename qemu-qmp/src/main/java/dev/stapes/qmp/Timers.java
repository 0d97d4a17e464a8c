package dev.stapes.qmp;

import java.time.Duration;
import java.util.Comparator;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicLong;

/** What is to be done when, unless it is called off before. */
final class Timers {
  private final ConcurrentSkipListMap<Timer, Runnable> due =
      new ConcurrentSkipListMap<>(
          Comparator.comparingLong((Timer timer) -> timer.nanos() - EPOCH)
              .thenComparingLong(Timer::sequence));

  /** Times are compared from here on: those of the JVM may wrap around. */
  private static final long EPOCH = System.nanoTime();

  private static final Duration LONGEST = Duration.ofDays(36_500);

  private final AtomicLong sequence = new AtomicLong();

  record Timer(long nanos, long sequence) {}

  /** The clock's time after this long; a time beyond all is a hundred years. */
  static long after(Duration timeout) {
    Duration capped = timeout.compareTo(LONGEST) > 0 ? LONGEST : timeout;
    return System.nanoTime() + capped.toNanos();
  }

  /** Nanoseconds from now until then, at least 0. */
  static long left(long nanos) {
    return Math.max(0, nanos - System.nanoTime());
  }

  Timer schedule(Duration timeout, Runnable task) {
    Timer timer = new Timer(after(timeout), sequence.incrementAndGet());
    due.put(timer, task);
    return timer;
  }

  boolean isFirst(Timer timer) {
    Map.Entry<Timer, Runnable> first = due.firstEntry();
    return first != null && first.getKey().equals(timer);
  }

  void cancel(Timer timer) {
    due.remove(timer);
  }

  /** Runs what is due; returns nanoseconds until the next one, negative where there is none. */
  long run() {
    while (true) {
      Map.Entry<Timer, Runnable> first = due.firstEntry();
      if (first == null) {
        return -1;
      }
      long left = first.getKey().nanos() - System.nanoTime();
      if (left > 0) {
        return left;
      }
      Runnable task = due.remove(first.getKey());
      if (task != null) {
        task.run();
      }
    }
  }
}
