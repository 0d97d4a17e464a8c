package dev.stapes.internal.engine;

import dev.stapes.internal.http.HttpSettings;
import dev.stapes.internal.image.ImageStore;
import dev.stapes.internal.image.oci.OciSource;
import dev.stapes.internal.image.remote.UrlSource;
import dev.stapes.internal.image.simplestreams.StreamsServer;
import dev.stapes.model.ImageInfo;
import dev.stapes.model.ImageOrigin;
import dev.stapes.model.ImageRefreshException;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.ImageSource;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps images new and few: asks for newer ones where they came from, and removes cached ones that
 * nobody uses. Only when it is told to: the library has no clock of its own that would.
 */
public final class ImageUpkeep {
  private static final Logger LOG = LoggerFactory.getLogger(ImageUpkeep.class);

  private final ImageStore store;
  private final ImageService images;
  private final Work work;
  private final InstantSource clock;

  ImageUpkeep(ImageStore store, ImageService images, Work work, InstantSource clock) {
    this.store = store;
    this.images = images;
    this.work = work;
    this.clock = clock;
  }

  /**
   * Asks for a newer version of an image, and lets it take the place of this one.
   *
   * @param given whom to ask; empty: where it came from
   */
  public ImageInfo refresh(String reference, Optional<ImageSource> given, Progress progress) {
    return work.unlocked(
        "image-refresh",
        "image " + reference,
        progress,
        told -> {
          ImageInfo old = store.find(reference);
          ImageSource source = given.orElseGet(() -> sourceOf(old));
          Optional<String> newest = store.newest(source, told);
          return newest.isPresent() && newest.get().equals(old.fingerprint())
              ? old
              : replace(old, source, told);
        });
  }

  private ImageInfo replace(ImageInfo old, ImageSource source, Progress told) {
    ImageStore.Imported imported =
        store.importFrom(
            source,
            new ImageStore.Wish(Set.of(), old.cached(), Optional.of(old.fingerprint())),
            told);
    ImageInfo image = imported.image();
    if (image.fingerprint().equals(old.fingerprint())) {
      return image;
    }
    images.happened(imported, source);
    work.happened(
        "image-refreshed", "image " + image.fingerprint(), Map.of("replaced", old.fingerprint()));
    if (old.cached()) {
      removeIfUnused(old.fingerprint(), now -> now.cached() && now.aliases().isEmpty());
    }
    return image;
  }

  private static ImageSource sourceOf(ImageInfo image) {
    ImageOrigin origin =
        image
            .origin()
            .orElseThrow(
                () ->
                    new StapesException(
                        Kind.UNSUPPORTED,
                        "image " + image.fingerprint(),
                        "cannot be refreshed: it cannot be asked for again where it came from ("
                            + image.source()
                            + "): give the source"));
    return switch (origin.protocol()) {
      case SIMPLESTREAMS -> StreamsServer.source(origin);
      case URL -> UrlSource.of(origin);
      case OCI -> new OciSource(OciSource.spec(origin), HttpSettings.usual(), System::getenv);
    };
  }

  /**
   * Refreshes all that can be, whatever becomes of the others; the answer is what is new.
   *
   * @throws ImageRefreshException with what is new, where others failed
   */
  public List<ImageInfo> refreshAll(Progress progress) {
    List<ImageInfo> changed = new ArrayList<>();
    TreeMap<String, StapesException> failed = new TreeMap<>();
    Optional<Kind> last = Optional.empty();
    for (ImageInfo image : store.list()) {
      String fingerprint = image.fingerprint();
      if (image.origin().isEmpty() || image.aliases().isEmpty()) {
        continue;
      }
      try {
        ImageInfo now = refresh(fingerprint, Optional.empty(), progress);
        if (!now.fingerprint().equals(fingerprint)) {
          changed.add(now);
        }
      } catch (StapesException e) {
        if (e.kind() == Kind.NOT_FOUND && !store.has(fingerprint)) {
          continue; // it was deleted meanwhile
        }
        failed.put(fingerprint, e);
        last = Optional.of(e.kind());
        if (e.kind() == Kind.INTERRUPTED) {
          break;
        }
      }
    }
    if (last.isPresent()) {
      throw new ImageRefreshException(last.get(), changed, failed);
    }
    return changed;
  }

  /** Removes cached images that were not used for so long; the answer is what they were. */
  public List<ImageInfo> expire(Duration unusedFor) {
    if (unusedFor.isNegative()) {
      throw StapesException.invalid("image expiry", "must not be negative: " + unusedFor);
    }
    Instant now = clock.instant();
    Predicate<ImageInfo> expired =
        image -> image.cached() && Duration.between(lastUse(image), now).compareTo(unusedFor) >= 0;
    return store.list().stream()
        .filter(expired)
        .filter(image -> removeIfUnused(image.fingerprint(), expired))
        .toList();
  }

  private static Instant lastUse(ImageInfo image) {
    return image
        .lastUsedAt()
        .filter(used -> used.isAfter(image.importedAt()))
        .orElse(image.importedAt());
  }

  /** False where it is just being used, is not what it was, or is gone already. */
  private boolean removeIfUnused(String fingerprint, Predicate<ImageInfo> condition) {
    try {
      return images.deleteIf(fingerprint, condition);
    } catch (StapesException e) {
      if (e.kind() != Kind.BUSY && e.kind() != Kind.NOT_FOUND) {
        throw e;
      }
      LOG.debug("cached image {} stays: {}", fingerprint, e.getMessage());
      return false;
    }
  }
}
