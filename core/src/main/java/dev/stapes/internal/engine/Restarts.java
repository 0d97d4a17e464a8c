package dev.stapes.internal.engine;

import dev.stapes.model.InstanceId;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;

/**
 * Keeps {@code boot.autorestart} to ten restarts a minute, as Incus does. Forgets an instance when
 * its window has passed.
 */
final class Restarts {
  private static final int MOST = 10;
  private static final Duration WINDOW = Duration.ofMinutes(1);

  private final Map<InstanceId, ArrayDeque<Instant>> recent = new HashMap<>();
  private final InstantSource clock;

  Restarts(InstantSource clock) {
    this.clock = clock;
  }

  /** Whether one more restart is allowed now; counts it if so. */
  synchronized boolean allow(InstanceId id) {
    Instant now = clock.instant();
    recent.values().removeIf(times -> times.getLast().isBefore(now.minus(WINDOW)));
    ArrayDeque<Instant> times = recent.computeIfAbsent(id, key -> new ArrayDeque<>());
    while (!times.isEmpty() && times.getFirst().isBefore(now.minus(WINDOW))) {
      times.removeFirst();
    }
    if (times.size() >= MOST) {
      return false;
    }
    times.addLast(now);
    return true;
  }
}
