package dev.stapes.internal.engine;

import dev.stapes.model.Device;
import java.util.Collections;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Changes to an instance.
 *
 * @param config keys to set; an empty value removes; copied
 * @param devices to add or replace, or to remove where empty; copied
 * @param description the new one
 * @param revision that the instance must be at
 */
public record InstanceChange(
    SortedMap<String, String> config,
    SortedMap<String, Optional<Device>> devices,
    Optional<String> description,
    OptionalLong revision) {
  /** Copies. */
  public InstanceChange {
    config = Collections.unmodifiableSortedMap(new TreeMap<>(config));
    devices = Collections.unmodifiableSortedMap(new TreeMap<>(devices));
  }

  /** Whether it changes nothing. */
  boolean isEmpty() {
    return config.isEmpty() && devices.isEmpty() && description.isEmpty();
  }
}
