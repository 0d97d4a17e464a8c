package dev.stapes.model;

import java.util.Map;
import java.util.TreeMap;

/**
 * A storage pool that is asked for.
 *
 * @param name see {@link Names#pool}
 * @param driver such as {@code btrfs} or {@code dir}
 * @param config the driver's keys: {@code source} (a block device, a directory, or absent for a
 *     loop file or directory of Stapes's own), {@code size} of a loop file, and the driver's own
 */
public record PoolSpec(String name, String driver, Config config) {
  /** Validates the name. */
  public PoolSpec {
    Names.pool(name);
  }

  /** A pool with the driver's defaults. */
  public static PoolSpec of(String name, String driver) {
    return new PoolSpec(name, driver, Config.empty());
  }

  /** The same with one key more. */
  public PoolSpec with(String key, String value) {
    Map<String, String> values = new TreeMap<>(config.values());
    values.put(key, value);
    return new PoolSpec(name, driver, Config.of(values));
  }

  /** The same on a block device or in an existing directory, given by its absolute path. */
  public PoolSpec source(String path) {
    return with("source", path);
  }

  /** The same in a loop file of this size. */
  public PoolSpec size(Size size) {
    return with("size", size.toString());
  }
}
