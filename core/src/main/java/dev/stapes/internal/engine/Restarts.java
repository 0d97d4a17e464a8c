package dev.stapes.internal.engine;

import dev.stapes.model.InstanceId;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Keeps {@code boot.autorestart} to ten restarts a minute, as Incus does. */
final class Restarts {
  private static final int MOST = 10;
  private static final Duration WINDOW = Duration.ofMinutes(1);

  private final Map<InstanceId, ArrayDeque<Instant>> recent = new ConcurrentHashMap<>();
  private final InstantSource clock;

  Restarts(InstantSource clock) {
    this.clock = clock;
  }

  /** Whether one more restart is allowed now; counts it if so. */
  boolean allow(InstanceId id) {
    Instant now = clock.instant();
    ArrayDeque<Instant> times = recent.computeIfAbsent(id, key -> new ArrayDeque<>());
    synchronized (times) {
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
}
