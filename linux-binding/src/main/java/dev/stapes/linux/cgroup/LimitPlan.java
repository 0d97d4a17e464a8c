package dev.stapes.linux.cgroup;

import java.util.List;

/**
 * Limits as the files of a group want them.
 *
 * @param settings what to write, in an order in which the kernel takes each of them
 * @param unsupported what was asked for and has no file here
 */
public record LimitPlan(List<Setting> settings, List<UnsupportedLimit> unsupported) {
  /** Copies. */
  public LimitPlan {
    settings = List.copyOf(settings);
    unsupported = List.copyOf(unsupported);
  }
}
