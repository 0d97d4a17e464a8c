package dev.stapes.storage.lvm;

import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.time.Duration;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sees to it that a thin pool does not run full: nothing new is made when it nearly is, and it gets
 * more room before, as far as it may. A look is one process more, so it is not taken each time.
 */
final class PoolRoom {
  private static final Logger LOG = LoggerFactory.getLogger(PoolRoom.class);
  private static final long FRESH = Duration.ofSeconds(5).toNanos();
  static final Size USUAL_VOLUME = Size.ofGibibytes(10);

  private final String subject;
  private final ThinPool thin;
  private final Backing backing;
  private final Optional<Backing.Growth> growth;
  private final LongSupplier nanos;
  private @Nullable Fullness last;
  private long lookedAt;

  /** What sizes are multiples of; 0: not known yet. */
  private long extent;

  /**
   * Of a thin pool.
   *
   * @param backing what it lies on, and makes its data larger
   * @param nanos a clock, as {@link System#nanoTime}
   */
  PoolRoom(String subject, ThinPool thin, Backing backing, LongSupplier nanos) {
    this.subject = subject;
    this.thin = thin;
    this.backing = backing;
    this.growth = backing.growth();
    this.nanos = nanos;
  }

  /**
   * Refuses where nothing new is to be made.
   *
   * @throws StapesException EXHAUSTED
   */
  void require() {
    if (recent().problem().isPresent()) {
      requireNow(); // something may have been deleted since
    } else {
      backing.requireRoom();
    }
  }

  /**
   * The same, by a look at it now: for who fills it faster than a look becomes old.
   *
   * @throws StapesException EXHAUSTED
   */
  void requireNow() {
    Optional<String> problem = measure().problem();
    if (problem.isPresent()) {
      throw new StapesException(Kind.EXHAUSTED, subject, problem.get());
    }
    backing.requireRoom();
  }

  /** The size of a volume of which nobody said one. */
  long usualSize(PoolContext pool) {
    long wanted =
        pool.get(LvmKeys.VOLUME_SIZE)
            .map(Size::bytes)
            .orElseGet(() -> Math.min(USUAL_VOLUME.bytes(), recent().size()));
    return ThinPoolPlan.up(wanted, 1L << 20);
  }

  /**
   * A size of a block device, as the pool can give it.
   *
   * @param subject for errors
   * @throws StapesException EXHAUSTED where no thin volume can be so large
   */
  long rounded(String subject, Size size) {
    if (size.bytes() > StreamHeader.MOST) {
      throw new StapesException(
          Kind.EXHAUSTED, subject, "no volume of LVM is so large: " + size.toDisplay());
    }
    return ThinPoolPlan.up(Math.max(1, size.bytes()), extent());
  }

  private synchronized long extent() {
    if (extent == 0) {
      extent = Math.max(1L << 20, thin.volumes().groupInfo().extent());
    }
    return extent;
  }

  private synchronized Fullness recent() {
    return last == null || nanos.getAsLong() - lookedAt > FRESH ? measure() : last;
  }

  /** Looks, and gives data and metadata more room where they are tight. */
  synchronized Fullness measure() {
    Fullness now = thin.fullness();
    if (now.metadata() >= Fullness.TIGHT_METADATA) {
      now = larger(this::widen, now);
    }
    if (now.data() >= Fullness.TIGHT_DATA && growth.isPresent()) {
      now = larger(tight -> growth.get().step(thin, tight), now);
    }
    last = now;
    lookedAt = nanos.getAsLong();
    return now;
  }

  /** What is wanted may still fit where it cannot grow. */
  private Fullness larger(Predicate<Fullness> how, Fullness tight) {
    try {
      if (!how.test(tight)) {
        return tight;
      }
    } catch (StapesException | LinuxException e) {
      if (e instanceof StapesException refused && refused.kind() == Kind.INTERRUPTED) {
        throw refused;
      }
      LOG.warn("{}: does not grow by itself: {}", subject, e.getMessage(), e);
      return tight;
    }
    Fullness now = thin.fullness();
    LOG.info(
        "{}: grew by itself to {} bytes, {} of metadata", subject, now.size(), now.metadataSize());
    return now;
  }

  private boolean widen(Fullness tight) {
    VolumeGroup group = thin.volumes().groupInfo();
    long more =
        Math.min(group.free(), ThinPoolPlan.up(tight.metadataSize(), group.extent()))
            / group.extent()
            * group.extent();
    if (more <= 0) {
      return false;
    }
    thin.extendMetadata(more);
    return true;
  }
}
