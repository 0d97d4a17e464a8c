package dev.stapes.internal.image;

import dev.stapes.model.StapesException;
import java.util.HashMap;
import java.util.Map;

/** Who reads which archive, so that none is deleted under somebody's hands. */
final class ImageUses {
  private final Map<String, Integer> counts = new HashMap<>();

  /** A use of an archive. */
  interface Use extends AutoCloseable {
    @Override
    void close();
  }

  synchronized Use begin(String fingerprint) {
    counts.merge(fingerprint, 1, Integer::sum);
    return () -> end(fingerprint);
  }

  private synchronized void end(String fingerprint) {
    counts.computeIfPresent(fingerprint, (key, count) -> count == 1 ? null : count - 1);
  }

  /** BUSY where somebody reads it; nobody begins to meanwhile. */
  synchronized void whenUnused(String fingerprint, Runnable action) {
    if (counts.containsKey(fingerprint)) {
      throw new StapesException(
          StapesException.Kind.BUSY,
          ImageCatalog.subject(fingerprint),
          "is being unpacked, exported or copied");
    }
    action.run();
  }
}
