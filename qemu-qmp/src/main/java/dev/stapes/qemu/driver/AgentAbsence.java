package dev.stapes.qemu.driver;

import java.time.Duration;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What is known of an agent that was waited for in vain, so that not everybody waits for it again.
 * It holds until something changes at its port, or for a while where only time can tell.
 */
final class AgentAbsence {
  private static final Duration SILENCE = Duration.ofSeconds(30);

  private final LongSupplier nanos;
  private @Nullable Known known;

  /**
   * Knows nothing yet.
   *
   * @param nanos as of {@link System#nanoTime}
   */
  AgentAbsence(LongSupplier nanos) {
    this.nanos = nanos;
  }

  private record Known(boolean open, String why, long since) {}

  /** Nobody had the port open when the time was over in which a guest boots. */
  synchronized void nobody(String why) {
    known = new Known(false, why, nanos.getAsLong());
  }

  /** Somebody had it open, and did not answer. */
  synchronized void silent(String why) {
    known = new Known(true, why, nanos.getAsLong());
  }

  /** The guest begins anew, or somebody opened or closed the port. */
  synchronized void changed() {
    known = null;
  }

  /** The guest stood still: who was silent may answer now, but nobody can have opened the port. */
  synchronized void goesOn() {
    if (known != null && known.open()) {
      known = null;
    }
  }

  /**
   * Why there is no point in waiting.
   *
   * @param open whether somebody has the port open now
   */
  synchronized Optional<String> why(boolean open) {
    Known last = known;
    if (last == null || last.open() != open) {
      return Optional.empty();
    }
    if (open && nanos.getAsLong() - last.since() >= SILENCE.toNanos()) {
      known = null;
      return Optional.empty();
    }
    return Optional.of(last.why());
  }
}
