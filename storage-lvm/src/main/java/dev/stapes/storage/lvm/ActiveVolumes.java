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
  private final ThinPool thin;
  private final Set<String> names = ConcurrentHashMap.newKeySet();

  /** How many hold one. */
  private final Map<String, Integer> holders = new HashMap<>();

  /**
   * Of a pool.
   *
   * @param found those that are active already
   */
  ActiveVolumes(String subject, ThinPool thin, Collection<String> found) {
    this.subject = subject;
    this.thin = thin;
    names.addAll(found);
  }

  /** Makes the device of one appear; does nothing where it is there. */
  void activate(String name) {
    if (!names.contains(name)) {
      thin.activate(name);
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
      thin.deactivate(List.of(name));
      names.remove(name);
    } catch (StapesException e) {
      LOG.debug("{}: {} stays active", subject, name, e);
    }
  }

  /** Makes all go, and that of the thin pool; those that somebody uses stay. */
  void close() {
    List<String> all = new ArrayList<>(names);
    all.add(thin.name());
    for (int i = 0; i < all.size(); i += ThinPool.MOST_AT_ONCE) {
      try {
        thin.deactivate(all.subList(i, Math.min(i + ThinPool.MOST_AT_ONCE, all.size())));
      } catch (StapesException e) {
        LOG.info("{}: some devices stay: {}", subject, e.getMessage(), e);
      }
    }
  }
}
