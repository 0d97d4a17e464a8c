package dev.stapes.model;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * What a custom volume is.
 *
 * @param pool where it is
 * @param name unique in the pool
 * @param content what it holds
 * @param description free text
 * @param config see {@link VolumeKeys}
 * @param usage data in it; empty where the pool does not account it, or has lost the volume
 * @param usedBy names of the instances that have it among their devices, whether they run or not
 * @param createdAt when
 */
public record VolumeInfo(
    String pool,
    String name,
    VolumeContent content,
    String description,
    Config config,
    Optional<Size> usage,
    List<String> usedBy,
    Instant createdAt) {
  /** Copies. */
  public VolumeInfo {
    usedBy = List.copyOf(usedBy);
  }

  /** At most so much data; empty: no limit. What a disk has where it is one. */
  public Optional<Size> size() {
    return config.get(VolumeKeys.SIZE);
  }
}
