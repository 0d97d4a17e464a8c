package dev.stapes;

import dev.stapes.model.StapesException;
import java.time.Duration;
import java.util.Optional;

/**
 * How to stop.
 *
 * @param force without asking
 * @param timeout how long a graceful stop may take; empty: {@code boot.host_shutdown_timeout}
 * @param stateful whether the memory of a virtual machine is saved, from which the next start goes
 *     on; its programs are not told
 */
public record Stop(boolean force, Optional<Duration> timeout, boolean stateful) {
  /** Ask it to shut down, and wait as long as its config says. */
  public static final Stop GRACEFUL = new Stop(false, Optional.empty());

  /** End it at once. */
  public static final Stop FORCE = new Stop(true, Optional.empty());

  /**
   * Save the memory of a virtual machine, and end it at once: the next start goes on from there. It
   * needs {@code migration.stateful=true}.
   */
  public static final Stop STATEFUL = new Stop(false, Optional.empty(), true);

  /** Without its memory. */
  public Stop(boolean force, Optional<Duration> timeout) {
    this(force, timeout, false);
  }

  /** Refuses a negative time. */
  public Stop {
    timeout.ifPresent(
        limit -> {
          if (limit.isNegative()) {
            throw StapesException.invalid("stop", "timeout must not be negative: " + limit);
          }
        });
  }

  /** Ask it to shut down, and wait so long. */
  public static Stop graceful(Duration limit) {
    return new Stop(false, Optional.of(limit));
  }
}
