package dev.stapes.model;

import java.time.Instant;
import java.util.Collections;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * An image to be made of an instance, or of a snapshot of one.
 *
 * <p>Equal content gives equal bytes, and so the same fingerprint: the same files with the same
 * owners, modes, times and attributes, with the same metadata and compression.
 *
 * @param instance whose root file system it is
 * @param snapshot which of its snapshots; empty for the instance as it is
 * @param properties beside those of the image that the instance was made of, over which they
 *     prevail; copied
 * @param createdAt what the image says of when it was built; empty: when the snapshot was made, or
 *     the instance. Images know whole seconds
 * @param architecture kernel name; empty: that of the image that the instance was made of
 * @param compression of the archive
 * @param whileRunning whether a running instance is published as it is at one moment, rather than
 *     refused
 */
public record PublishSpec(
    InstanceId instance,
    Optional<String> snapshot,
    SortedMap<String, String> properties,
    Optional<Instant> createdAt,
    Optional<String> architecture,
    Compression compression,
    boolean whileRunning) {
  /** How an archive is compressed. */
  public enum Compression {
    /** Zstandard, with more than one thread. */
    ZSTD,
    /** Gzip. Which bytes it gives depends on the zlib of the JVM. */
    GZIP,
    /** XZ: the smallest, and by far the slowest. */
    XZ,
    /** Not at all. */
    NONE;

    /** Such as {@code zstd}. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** Validates and copies. */
  public PublishSpec {
    snapshot.ifPresent(Names::snapshot);
    properties = Collections.unmodifiableSortedMap(new TreeMap<>(properties));
    properties.forEach(ImageMetadata::requireProperty);
  }

  /** An instance as it is: stopped, unless it may be {@link #running}. */
  public static PublishSpec of(InstanceId instance) {
    return new PublishSpec(
        instance,
        Optional.empty(),
        new TreeMap<>(),
        Optional.empty(),
        Optional.empty(),
        Compression.ZSTD,
        false);
  }

  /** A snapshot; whether its instance runs makes no difference. */
  public static PublishSpec of(SnapshotInfo snapshot) {
    return of(snapshot.instance()).snapshot(snapshot.name());
  }

  /** The same of a snapshot. */
  public PublishSpec snapshot(String name) {
    return new PublishSpec(
        instance,
        Optional.of(name),
        properties,
        createdAt,
        architecture,
        compression,
        whileRunning);
  }

  /** The same with one more property, such as {@code description}. */
  public PublishSpec property(String key, String value) {
    return properties(Map.of(key, value));
  }

  /** The same with more properties. */
  public PublishSpec properties(Map<String, String> more) {
    SortedMap<String, String> all = new TreeMap<>(properties);
    all.putAll(more);
    return new PublishSpec(
        instance, snapshot, all, createdAt, architecture, compression, whileRunning);
  }

  /** The same, said to be built at a time. */
  public PublishSpec createdAt(Instant time) {
    return new PublishSpec(
        instance, snapshot, properties, Optional.of(time), architecture, compression, whileRunning);
  }

  /** The same, said to be for an architecture, such as {@code aarch64}. */
  public PublishSpec architecture(String kernelName) {
    return new PublishSpec(
        instance,
        snapshot,
        properties,
        createdAt,
        Optional.of(kernelName),
        compression,
        whileRunning);
  }

  /** The same, compressed otherwise. */
  public PublishSpec compression(Compression how) {
    return new PublishSpec(
        instance, snapshot, properties, createdAt, architecture, how, whileRunning);
  }

  /**
   * The same, also of an instance that runs: as of one moment, as {@code Instance.copyTo} has it.
   * Files that a program was just writing are then as after a loss of power.
   */
  public PublishSpec running() {
    return new PublishSpec(
        instance, snapshot, properties, createdAt, architecture, compression, true);
  }
}
