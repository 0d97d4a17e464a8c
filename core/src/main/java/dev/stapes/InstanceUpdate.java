package dev.stapes;

import dev.stapes.internal.engine.InstanceChange;
import dev.stapes.model.Device;
import dev.stapes.model.Limits;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.Consumer;

/** Changes to an instance; what is not named stays as it is. */
public final class InstanceUpdate {
  private final TreeMap<String, String> config = new TreeMap<>();
  private final TreeMap<String, Optional<Device>> devices = new TreeMap<>();
  private Optional<String> description = Optional.empty();
  private OptionalLong revision = OptionalLong.empty();

  InstanceUpdate() {}

  /** Sets a config key; an empty value removes it. */
  public InstanceUpdate config(String key, String value) {
    config.put(key, value);
    return this;
  }

  /** Sets several config keys. */
  public InstanceUpdate config(Map<String, String> values) {
    config.putAll(values);
    return this;
  }

  /** Sets limits; those that are not named stay. */
  public InstanceUpdate limits(Consumer<Limits.Builder> options) {
    config.putAll(Limits.of(options).entries());
    return this;
  }

  /** Adds or replaces a device. */
  public InstanceUpdate device(String name, Device device) {
    devices.put(name, Optional.of(device));
    return this;
  }

  /** Removes a device. */
  public InstanceUpdate removeDevice(String name) {
    devices.put(name, Optional.empty());
    return this;
  }

  /** Replaces the description. */
  public InstanceUpdate description(String text) {
    description = Optional.of(text);
    return this;
  }

  /** Only if the instance is still at this revision, else CONFLICT. */
  public InstanceUpdate ifRevision(long expected) {
    revision = OptionalLong.of(expected);
    return this;
  }

  InstanceChange toChange() {
    return new InstanceChange(config, devices, description, revision);
  }
}
