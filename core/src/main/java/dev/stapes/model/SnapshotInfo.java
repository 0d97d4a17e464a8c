package dev.stapes.model;

import java.time.Instant;
import java.util.Collections;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What a snapshot is: the root disk and the config of an instance as they were.
 *
 * @param instance whose it is
 * @param name unique in the instance
 * @param description free text
 * @param createdAt when
 * @param expiresAt when it may be deleted; empty: never
 * @param config of the instance then
 * @param devices of the instance then; copied
 */
public record SnapshotInfo(
    InstanceId instance,
    String name,
    String description,
    Instant createdAt,
    Optional<Instant> expiresAt,
    Config config,
    SortedMap<String, Device> devices) {
  /** Copies. */
  public SnapshotInfo {
    devices = Collections.unmodifiableSortedMap(new TreeMap<>(devices));
  }

  /** Whether it has the memory of the instance, too. */
  public boolean stateful() {
    return config.text(InstanceInfo.STATE).isPresent();
  }
}
