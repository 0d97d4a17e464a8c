package dev.stapes.storage.lvm;

import dev.stapes.model.StapesException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Logical volumes whose devices may be there, also by a JVM that was killed. */
final class ActiveVolumes {
  private static final Logger LOG = LoggerFactory.getLogger(ActiveVolumes.class);

  private final String subject;
  private final PoolVolumes volumes;
  private final Set<String> names = ConcurrentHashMap.newKeySet();

  /** How many hold one. */
  private final Map<String, Integer> holders = new HashMap<>();

  /**
   * Of a pool.
   *
   * @param found those that are active already
   */
  ActiveVolumes(String subject, PoolVolumes volumes, Collection<String> found) {
    this.subject = subject;
    this.volumes = volumes;
    names.addAll(found);
  }

  /** Makes the device of one appear; does nothing where it is there. */
  void activate(String name) {
    if (!names.contains(name)) {
      volumes.activate(name);
      names.add(name);
    }
  }

  /** One is about to be made with its device. */
  void comes(String name) {
    names.add(name);
  }

  /** Some were removed. */
  void gone(Collection<String> removed) {
    names.removeAll(removed);
  }

  /** Makes the device of one appear, which stays until all who did this let it go. */
  void hold(String name) {
    synchronized (holders) {
      activate(name);
      holders.merge(name, 1, Integer::sum);
    }
  }

  /** Makes the device of one go; one that somebody uses stays until the pool is closed. */
  void letGo(String name) {
    synchronized (holders) {
      boolean held = holders.computeIfPresent(name, (of, n) -> n == 1 ? null : n - 1) != null;
      if (!held) {
        deactivate(name);
      }
    }
  }

  private void deactivate(String name) {
    try {
      volumes.deactivate(List.of(name));
      names.remove(name);
    } catch (StapesException e) {
      LOG.debug("{}: {} stays active", subject, name, e);
    }
  }

  /** Makes all go, and that of the one with the mark; those that somebody uses stay. */
  void close() {
    List<String> all = new ArrayList<>(names);
    all.add(volumes.name());
    for (int i = 0; i < all.size(); i += PoolVolumes.MOST_AT_ONCE) {
      try {
        volumes.deactivate(all.subList(i, Math.min(i + PoolVolumes.MOST_AT_ONCE, all.size())));
      } catch (StapesException e) {
        LOG.info("{}: some devices stay: {}", subject, e.getMessage(), e);
      }
    }
  }
}
