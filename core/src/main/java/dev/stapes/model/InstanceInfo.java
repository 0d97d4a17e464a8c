package dev.stapes.model;

import java.time.Instant;
import java.util.Collections;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What an instance is.
 *
 * @param id fixed
 * @param name may change
 * @param type container or virtual machine
 * @param status at the time of the call
 * @param description free text
 * @param lifetime how long it lives
 * @param imageFingerprint of the image it was made from; empty: none
 * @param pool where its root disk is
 * @param config as it was set
 * @param devices with the root disk; copied
 * @param createdAt when
 * @param lastStartedAt when it was last started; empty: never
 * @param revision changes with each change of the record, for optimistic updates
 */
public record InstanceInfo(
    InstanceId id,
    String name,
    InstanceType type,
    InstanceStatus status,
    String description,
    Lifetime lifetime,
    Optional<String> imageFingerprint,
    String pool,
    Config config,
    SortedMap<String, Device> devices,
    Instant createdAt,
    Optional<Instant> lastStartedAt,
    long revision) {
  /** Copies. */
  public InstanceInfo {
    devices = Collections.unmodifiableSortedMap(new TreeMap<>(devices));
  }
}
