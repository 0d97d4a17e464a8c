package dev.stapes.internal.engine;

import com.fasterxml.jackson.annotation.JsonIgnore;
import dev.stapes.model.Names;
import dev.stapes.model.StapesException;
import dev.stapes.model.VolumeContent;
import dev.stapes.model.VolumeKeys;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/**
 * What a backup of a custom volume says of it.
 *
 * @param format 1, or 2 of a disk
 * @param name it had
 * @param description free text
 * @param config see {@link VolumeKeys}
 * @param createdAt ISO-8601
 * @param snapshots oldest first
 * @param content a content type; null: filesystem
 */
record VolumeBackup(
    int format,
    String name,
    String description,
    SortedMap<String, String> config,
    String createdAt,
    List<Snapshot> snapshots,
    @Nullable String content) {
  private static final int OF_TREES = 1;

  /** Who knows the other one alone would make a directory of it. */
  private static final int OF_DISKS = 2;

  private static final int MOST_SNAPSHOTS = 100_000;
  private static final Json<VolumeBackup> JSON = Json.of(VolumeBackup.class);

  /** The tree of the volume as it is. */
  static final String CURRENT = "volume";

  /**
   * A snapshot.
   *
   * @param expiresAt ISO-8601, or null
   */
  record Snapshot(String name, String description, String createdAt, @Nullable String expiresAt) {}

  static VolumeBackup of(VolumeRecord volume, List<VolumeSnapshotRecord> snapshots) {
    return new VolumeBackup(
        volume.isDisk() ? OF_DISKS : OF_TREES,
        volume.name(),
        volume.description(),
        volume.config(),
        volume.createdAt(),
        snapshots.stream()
            .map(
                each ->
                    new Snapshot(
                        each.name(), each.description(), each.createdAt(), each.expiresAt()))
            .toList(),
        volume.content());
  }

  /** What it is a backup of. */
  @JsonIgnore
  VolumeContent contentType() {
    return content == null ? VolumeContent.FILESYSTEM : VolumeContent.parse(content);
  }

  byte[] toBytes() {
    return JSON.write(this).getBytes(StandardCharsets.UTF_8);
  }

  /** Reads what nobody knows the origin of. */
  static VolumeBackup read(byte[] bytes) {
    VolumeBackup read;
    try {
      read = JSON.read("of a backup", new String(bytes, StandardCharsets.UTF_8));
    } catch (StapesException e) {
      throw new StapesException(
          StapesException.Kind.INVALID, "backup", "what it says of itself cannot be read", e);
    }
    if (read == null || !read.isKnown()) {
      throw StapesException.invalid(
          "backup", "is of an unknown format: " + (read == null ? "null" : read.format));
    }
    try {
      read.check();
    } catch (NullPointerException | DateTimeException e) {
      throw new StapesException(
          StapesException.Kind.INVALID, "backup", "what it says of itself is not complete", e);
    }
    return read;
  }

  private boolean isKnown() {
    return format == (content == null ? OF_TREES : OF_DISKS);
  }

  private void check() {
    Names.volume(name);
    VolumeKeys.validate("volume " + name, contentType(), config);
    if (content != null && !config.containsKey(VolumeKeys.SIZE.name())) {
      throw StapesException.invalid("backup", "of a disk does not say its size");
    }
    Instant.parse(createdAt);
    Objects.requireNonNull(description);
    Set<String> names = new HashSet<>();
    if (snapshots.size() > MOST_SNAPSHOTS) {
      throw StapesException.invalid("backup", "has more than " + MOST_SNAPSHOTS + " snapshots");
    }
    for (Snapshot each : snapshots) {
      if (!names.add(Names.snapshot(each.name()))) {
        throw StapesException.invalid("backup", "has two snapshots called " + each.name());
      }
      Instant.parse(each.createdAt());
      Objects.requireNonNull(each.description());
      if (each.expiresAt() != null) {
        Instant.parse(each.expiresAt());
      }
    }
  }

  /** The tree of a snapshot. */
  static String part(int snapshot) {
    return "snapshots/" + snapshot;
  }

  /** All trees. */
  List<String> parts() {
    List<String> parts = new ArrayList<>();
    for (int i = 0; i < snapshots.size(); i++) {
      parts.add(part(i));
    }
    parts.add(CURRENT);
    return parts;
  }
}
