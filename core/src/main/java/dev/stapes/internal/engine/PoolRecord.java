package dev.stapes.internal.engine;

import dev.stapes.model.Config;
import dev.stapes.model.PoolSpec;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What the store keeps of a pool.
 *
 * @param name unique
 * @param driver its driver
 * @param config as it was set
 */
record PoolRecord(String name, String driver, SortedMap<String, String> config) {
  static PoolRecord of(PoolSpec spec) {
    return new PoolRecord(spec.name(), spec.driver(), new TreeMap<>(spec.config().values()));
  }

  PoolSpec toSpec() {
    return new PoolSpec(name, driver, Config.of(config));
  }
}
