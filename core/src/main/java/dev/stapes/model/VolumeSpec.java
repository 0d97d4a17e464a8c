package dev.stapes.model;

import java.util.Map;
import java.util.TreeMap;

/**
 * A custom volume that is to be made.
 *
 * @param name unique in the pool, see {@link Names#volume}
 * @param content what it holds
 * @param description free text
 * @param config see {@link VolumeKeys}
 */
public record VolumeSpec(String name, VolumeContent content, String description, Config config) {
  /** Checks the name and the config. */
  public VolumeSpec {
    Names.volume(name);
    VolumeKeys.validate("volume " + name, content, config.values());
  }

  /** A directory tree without a limit. */
  public static VolumeSpec of(String name) {
    return new VolumeSpec(name, VolumeContent.FILESYSTEM, "", Config.empty());
  }

  /**
   * A disk for virtual machines.
   *
   * @param size that they see; it takes the space only of what has been written to it
   */
  public static VolumeSpec block(String name, Size size) {
    return new VolumeSpec(name, VolumeContent.BLOCK, "", Config.empty()).size(size);
  }

  /** The same with a limit of its data; of a block volume with that size. */
  public VolumeSpec size(Size limit) {
    return config(VolumeKeys.SIZE.name(), limit.toString());
  }

  /** The same with a description. */
  public VolumeSpec description(String text) {
    return new VolumeSpec(name, content, text, config);
  }

  /** The same with a config key. */
  public VolumeSpec config(String key, String value) {
    return new VolumeSpec(name, content, description, config.with(key, value));
  }

  /** The same with several config keys. */
  public VolumeSpec config(Map<String, String> values) {
    return new VolumeSpec(name, content, description, config.with(new TreeMap<>(values)));
  }
}
