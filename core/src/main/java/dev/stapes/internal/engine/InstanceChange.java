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

  /** The devices of an instance after the change. */
  SortedMap<String, Device> appliedTo(SortedMap<String, Device> before) {
    SortedMap<String, Device> after = new TreeMap<>(before);
    devices.forEach(
        (name, device) ->
            device.ifPresentOrElse(put -> after.put(name, put), () -> after.remove(name)));
    return after;
  }

  /** Whether it changes nothing. */
  boolean isEmpty() {
    return config.isEmpty() && devices.isEmpty() && description.isEmpty();
  }
}
