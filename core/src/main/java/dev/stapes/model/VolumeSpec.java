package dev.stapes.model;

import java.util.Map;
import java.util.TreeMap;

/**
 * A custom volume that is to be made: a directory tree.
 *
 * @param name unique in the pool, see {@link Names#volume}
 * @param description free text
 * @param config see {@link VolumeKeys}
 */
public record VolumeSpec(String name, String description, Config config) {
  /** Checks the name and the config. */
  public VolumeSpec {
    Names.volume(name);
    VolumeKeys.SCHEMA.validate("volume " + name, config.values());
  }

  /** Without a limit. */
  public static VolumeSpec of(String name) {
    return new VolumeSpec(name, "", Config.empty());
  }

  /** The same with a limit of its data. */
  public VolumeSpec size(Size limit) {
    return config(VolumeKeys.SIZE.name(), limit.toString());
  }

  /** The same with a description. */
  public VolumeSpec description(String text) {
    return new VolumeSpec(name, text, config);
  }

  /** The same with a config key. */
  public VolumeSpec config(String key, String value) {
    return new VolumeSpec(name, description, config.with(key, value));
  }

  /** The same with several config keys. */
  public VolumeSpec config(Map<String, String> values) {
    return new VolumeSpec(name, description, config.with(new TreeMap<>(values)));
  }
}
