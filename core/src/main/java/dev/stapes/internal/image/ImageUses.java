package dev.stapes.internal.image;

import dev.stapes.model.StapesException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;

/** Who uses which image, so that none is deleted under somebody's hands. */
final class ImageUses {
  private final ConcurrentHashMap<String, Integer> counts = new ConcurrentHashMap<>();

  /** A use of an archive, or of a volume that it is unpacked in. */
  interface Use extends AutoCloseable {
    @Override
    void close();
  }

  Use begin(String fingerprint) {
    counts.merge(fingerprint, 1, Integer::sum);
    return () -> end(fingerprint);
  }

  private void end(String fingerprint) {
    counts.computeIfPresent(fingerprint, (key, count) -> count == 1 ? null : count - 1);
  }

  /** BUSY where somebody uses it; nobody begins to meanwhile. */
  boolean whenUnused(String fingerprint, BooleanSupplier action) {
    boolean[] done = {false};
    counts.compute(
        fingerprint,
        (key, count) -> {
          if (count != null) {
            throw new StapesException(
                StapesException.Kind.BUSY,
                ImageCatalog.subject(fingerprint),
                "is being unpacked, exported or copied");
          }
          done[0] = action.getAsBoolean();
          return null;
        });
    return done[0];
  }
}
