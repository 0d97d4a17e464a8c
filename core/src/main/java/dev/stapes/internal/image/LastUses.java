package dev.stapes.internal.image;

import dev.stapes.model.ImageInfo;
import dev.stapes.model.StapesException;
import dev.stapes.spi.StateStore;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * When instances were made of images last. Known exactly in memory; written down once a day for
 * each image, and not on its first day, since who asks counts in days: making an instance is to
 * cost nothing more.
 */
final class LastUses {
  private static final Logger LOG = LoggerFactory.getLogger(LastUses.class);
  private static final Duration EXACT = Duration.ofDays(1);

  private final StateStore state;
  private final InstantSource clock;
  private final Map<String, Instant> uses = new ConcurrentHashMap<>();
  private final Map<String, Instant> written = new ConcurrentHashMap<>();

  LastUses(StateStore state, InstantSource clock) {
    this.state = state;
    this.clock = clock;
    for (StateStore.Entry entry : state.prefix(ImageRecord.USED)) {
      try {
        String fingerprint = entry.key().substring(ImageRecord.USED.length());
        written.put(fingerprint, Instant.parse(entry.value()));
      } catch (DateTimeException e) {
        LOG.warn("{} is no time: {}", entry.key(), entry.value());
      }
    }
    uses.putAll(written);
  }

  /** An instance is being made of an image. */
  void used(ImageInfo image) {
    Instant now = clock.instant();
    String fingerprint = image.fingerprint();
    uses.put(fingerprint, now);
    Instant known = written.getOrDefault(fingerprint, image.importedAt());
    if (Duration.between(known, now).compareTo(EXACT) > 0 && write(fingerprint, now)) {
      written.put(fingerprint, now);
    }
    if (state.get(ImageRecord.key(fingerprint)).isEmpty()) {
      forget(fingerprint); // it went meanwhile, and this may have come after it was forgotten
    }
  }

  /**
   * That it cannot be written is no reason to make no instance: the next one tries again.
   *
   * @return whether it is written
   */
  private boolean write(String fingerprint, Instant now) {
    try {
      try {
        return commit(fingerprint, now);
      } catch (StapesException e) {
        if (e.kind() != StapesException.Kind.CONFLICT) {
          throw e;
        }
        return commit(fingerprint, now); // something else of the image was changed
      }
    } catch (StapesException e) {
      LOG.warn("last use of image {} is not written down: {}", fingerprint, e.getMessage());
      return false;
    }
  }

  /** False where the image is gone. */
  private boolean commit(String fingerprint, Instant now) {
    String image = ImageRecord.key(fingerprint);
    Optional<StateStore.Entry> record = state.get(image);
    if (record.isEmpty()) {
      return false;
    }
    state.commit(
        StateStore.Transaction.begin()
            .ifUnchanged(image, record.get().modified())
            .put(ImageRecord.USED + fingerprint, now.toString())
            .build());
    return true;
  }

  /** With its last use. */
  ImageInfo in(ImageInfo image) {
    Instant last = uses.get(image.fingerprint());
    return last == null ? image : image.withLastUse(Optional.of(last));
  }

  /** An image is gone. */
  void forget(String fingerprint) {
    uses.remove(fingerprint);
    written.remove(fingerprint);
  }
}
