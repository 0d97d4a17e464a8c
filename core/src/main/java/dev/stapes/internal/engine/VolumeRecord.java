package dev.stapes.internal.engine;

import com.fasterxml.jackson.annotation.JsonIgnore;
import dev.stapes.spi.VolumeId;
import org.jspecify.annotations.Nullable;

/**
 * What the store keeps of a custom volume.
 *
 * @param pool where it is
 * @param name unique in the pool
 * @param description free text
 * @param volume name of the volume in the pool
 * @param size in bytes, or null for no limit
 * @param createdAt ISO-8601
 */
record VolumeRecord(
    String pool,
    String name,
    String description,
    String volume,
    @Nullable Long size,
    String createdAt) {
  @JsonIgnore
  VolumeId volumeId() {
    return new VolumeId(VolumeId.Kind.CUSTOM, volume);
  }
}
