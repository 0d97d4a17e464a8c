package dev.stapes.linux.cgroup;

import java.util.List;

/**
 * Limits as items of an LXC configuration.
 *
 * @param items in the order in which they must stand
 * @param unsupported what was asked for and cannot be had this way
 */
public record LxcCgroupConfig(List<Item> items, List<UnsupportedLimit> unsupported) {
  /** Copies. */
  public LxcCgroupConfig {
    items = List.copyOf(items);
    unsupported = List.copyOf(unsupported);
  }

  /**
   * One line of the configuration.
   *
   * @param key {@code lxc.cgroup.memory.limit_in_bytes} or {@code lxc.cgroup2.memory.max}
   * @param value its value
   */
  public record Item(String key, String value) {}
}
