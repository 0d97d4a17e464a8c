package dev.stapes.linux;

import java.time.Duration;

/** Durations as nanoseconds that can be added to {@link System#nanoTime}. */
final class Timeouts {
  private static final long CENTURY = Duration.ofDays(36_500).toNanos();

  private Timeouts() {}

  static long nanos(Duration timeout) {
    if (timeout.isNegative()) {
      return 0;
    }
    return timeout.compareTo(Duration.ofDays(36_500)) > 0 ? CENTURY : timeout.toNanos();
  }
}
