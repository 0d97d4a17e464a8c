package dev.stapes.internal.engine;

import com.fasterxml.jackson.annotation.JsonIgnore;
import dev.stapes.model.VolumeSnapshotInfo;
import dev.stapes.spi.VolumeId;
import java.time.Instant;
import java.util.Comparator;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What the store keeps of a snapshot of a custom volume.
 *
 * @param of id of the custom volume, in whose pool it is
 * @param name unique in it
 * @param description free text
 * @param volume name of its own volume in the pool
 * @param createdAt ISO-8601
 * @param expiresAt ISO-8601, or null
 */
record VolumeSnapshotRecord(
    String of,
    String name,
    String description,
    String volume,
    String createdAt,
    @Nullable String expiresAt) {
  /** From the oldest to the newest. */
  static final Comparator<VolumeSnapshotRecord> BY_AGE =
      Comparator.comparing(VolumeSnapshotRecord::created).thenComparing(VolumeSnapshotRecord::name);

  @JsonIgnore
  VolumeId volumeId() {
    return new VolumeId(VolumeId.Kind.SNAPSHOT, volume);
  }

  private Instant created() {
    return Instant.parse(createdAt);
  }

  VolumeSnapshotRecord withName(String newName) {
    return new VolumeSnapshotRecord(of, newName, description, volume, createdAt, expiresAt);
  }

  VolumeSnapshotRecord at(String newOf, String newVolume) {
    return new VolumeSnapshotRecord(newOf, name, description, newVolume, createdAt, expiresAt);
  }

  boolean isExpired(Instant now) {
    return expiresAt != null && !Instant.parse(expiresAt).isAfter(now);
  }

  VolumeSnapshotRecord expiring(Optional<Instant> at) {
    return new VolumeSnapshotRecord(
        of, name, description, volume, createdAt, at.map(Instant::toString).orElse(null));
  }

  VolumeSnapshotInfo toInfo(VolumeRecord owner) {
    return new VolumeSnapshotInfo(
        owner.pool(),
        owner.name(),
        name,
        description,
        created(),
        Optional.ofNullable(expiresAt).map(Instant::parse));
  }
}
