package dev.stapes.internal.engine;

import com.fasterxml.jackson.annotation.JsonIgnore;
import dev.stapes.model.Config;
import dev.stapes.model.Size;
import dev.stapes.model.VolumeContent;
import dev.stapes.model.VolumeKeys;
import dev.stapes.spi.VolumeId;
import java.util.Optional;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/**
 * What the store keeps of a custom volume.
 *
 * @param id never changes
 * @param pool where it is
 * @param name unique in the pool
 * @param description free text
 * @param volume name of the volume in the pool
 * @param config see {@link VolumeKeys}
 * @param createdAt ISO-8601
 * @param content a content type; null: filesystem
 */
record VolumeRecord(
    String id,
    String pool,
    String name,
    String description,
    String volume,
    SortedMap<String, String> config,
    String createdAt,
    @Nullable String content) {
  @JsonIgnore
  VolumeId volumeId() {
    return new VolumeId(VolumeId.Kind.CUSTOM, volume);
  }

  @JsonIgnore
  Intent.VolumeRef ref() {
    return Intent.VolumeRef.of(pool, volumeId());
  }

  @JsonIgnore
  String subject() {
    return subject(pool, name);
  }

  static String subject(String pool, String name) {
    return "volume " + pool + "/" + name;
  }

  @JsonIgnore
  Config typedConfig() {
    return Config.of(config);
  }

  /** What it holds. */
  @JsonIgnore
  VolumeContent contentType() {
    return content == null ? VolumeContent.FILESYSTEM : VolumeContent.parse(content);
  }

  /** How that is written down. */
  static @Nullable String textOf(VolumeContent type) {
    return type == VolumeContent.FILESYSTEM ? null : type.text();
  }

  /** Whether it is a disk of virtual machines. */
  @JsonIgnore
  boolean isDisk() {
    return contentType() != VolumeContent.FILESYSTEM;
  }

  /** Whether several machines may run with it at the same time. */
  @JsonIgnore
  boolean isShared() {
    return typedConfig().get(VolumeKeys.SECURITY_SHARED).orElse(false);
  }

  /** At most so much data; of a disk what it has. */
  @JsonIgnore
  Optional<Size> size() {
    return typedConfig().get(VolumeKeys.SIZE);
  }

  /** Held, shared or alone, by who works on it. */
  @JsonIgnore
  String lock() {
    return Work.lockOfVolume(pool, name);
  }

  VolumeRecord at(String newPool, String newName, String newVolume) {
    return new VolumeRecord(
        id, newPool, newName, description, newVolume, config, createdAt, content);
  }

  VolumeRecord withVolume(String newVolume) {
    return at(pool, name, newVolume);
  }

  VolumeRecord with(String newDescription, Config newConfig) {
    return new VolumeRecord(
        id, pool, name, newDescription, volume, newConfig.values(), createdAt, content);
  }
}
