package dev.stapes.model;

import java.time.Instant;
import java.util.Collections;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * What an image in the store is.
 *
 * @param fingerprint SHA-256 of its file, or of its two files one after the other, 64 lower-case
 *     hex digits
 * @param aliases names for it; copied
 * @param metadata what it says of itself, with the properties as they are now
 * @param size of its files
 * @param source where it came from, in words
 * @param importedAt when it came
 * @param cached whether it may go when it has not been used for some time
 * @param lastUsedAt when the last instance was made of it, to the day where that was before the
 *     last open; empty: none was
 * @param origin where it can be asked for again; empty: nowhere
 */
public record ImageInfo(
    String fingerprint,
    SortedSet<String> aliases,
    ImageMetadata metadata,
    Size size,
    String source,
    Instant importedAt,
    boolean cached,
    Optional<Instant> lastUsedAt,
    Optional<ImageOrigin> origin) {
  /** Copies. */
  public ImageInfo {
    aliases = Collections.unmodifiableSortedSet(new TreeSet<>(aliases));
  }

  /** One that stays, from nowhere else. */
  public ImageInfo(
      String fingerprint,
      SortedSet<String> aliases,
      ImageMetadata metadata,
      Size size,
      String source,
      Instant importedAt) {
    this(
        fingerprint,
        aliases,
        metadata,
        size,
        source,
        importedAt,
        false,
        Optional.empty(),
        Optional.empty());
  }

  /** The same with these names. */
  public ImageInfo withAliases(SortedSet<String> others) {
    return new ImageInfo(
        fingerprint, others, metadata, size, source, importedAt, cached, lastUsedAt, origin);
  }

  /** The same with this metadata. */
  public ImageInfo withMetadata(ImageMetadata other) {
    return new ImageInfo(
        fingerprint, aliases, other, size, source, importedAt, cached, lastUsedAt, origin);
  }

  /** The same, to be kept or not, from there. */
  public ImageInfo withOrigin(boolean mayGo, Optional<ImageOrigin> from) {
    return new ImageInfo(
        fingerprint, aliases, metadata, size, source, importedAt, mayGo, lastUsedAt, from);
  }

  /** The same, last used at a time. */
  public ImageInfo withLastUse(Optional<Instant> at) {
    return new ImageInfo(
        fingerprint, aliases, metadata, size, source, importedAt, cached, at, origin);
  }
}
