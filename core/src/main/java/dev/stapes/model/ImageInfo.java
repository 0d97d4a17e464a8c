package dev.stapes.model;

import java.time.Instant;
import java.util.Collections;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * What an image in the store is.
 *
 * @param fingerprint SHA-256 of its file, or of its two files one after the other, 64 lower-case
 *     hex digits
 * @param aliases names for it; copied
 * @param metadata what it says of itself
 * @param size of its files
 * @param source where it came from, in words
 * @param importedAt when it came
 */
public record ImageInfo(
    String fingerprint,
    SortedSet<String> aliases,
    ImageMetadata metadata,
    Size size,
    String source,
    Instant importedAt) {
  /** Copies. */
  public ImageInfo {
    aliases = Collections.unmodifiableSortedSet(new TreeSet<>(aliases));
  }
}
