package dev.stapes.model;

import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Of several images some could not be refreshed; {@link #refreshed} is what has become of the
 * others. The kind is that of the last that failed, and what they failed with is suppressed.
 */
public final class ImageRefreshException extends StapesException {
  private static final long serialVersionUID = 1L;

  private final transient List<ImageInfo> refreshed;
  private final transient SortedMap<String, StapesException> failed;

  /**
   * Names what failed.
   *
   * @param kind of the last
   * @param refreshed the new images, which are there; copied
   * @param failed why, by fingerprint; copied
   */
  public ImageRefreshException(
      Kind kind, List<ImageInfo> refreshed, SortedMap<String, StapesException> failed) {
    super(kind, "images", "some could not be refreshed: " + texts(failed));
    this.refreshed = List.copyOf(refreshed);
    this.failed = Collections.unmodifiableSortedMap(new TreeMap<>(failed));
    failed.values().forEach(this::addSuppressed);
  }

  private static String texts(SortedMap<String, StapesException> failed) {
    return failed.entrySet().stream()
        .map(each -> each.getKey() + " (" + each.getValue().getMessage() + ")")
        .collect(Collectors.joining(", "));
  }

  /** The new images. */
  public List<ImageInfo> refreshed() {
    return refreshed;
  }

  /** Why each of the others was not refreshed, by its fingerprint. */
  public SortedMap<String, StapesException> failed() {
    return failed;
  }
}
