package dev.stapes.internal.engine;

import dev.stapes.internal.operation.Locks;
import dev.stapes.model.StapesException;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.VolumeId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Removes, behind the caller, volumes that nothing refers to any more. The intent that names them
 * goes when they are gone, so a crash or an unusable pool only postpones it to the next open. A
 * pool that is being removed is left alone: with it the volumes are gone.
 */
final class Trash {
  private static final Logger LOG = LoggerFactory.getLogger(Trash.class);
  private static final Duration PATIENCE = Duration.ofMinutes(1);

  private final Catalog catalog;
  private final PoolService pools;
  private final Locks locks;
  private final Background background;

  /** Pools whose next reclaim has not begun yet: it will find what is discarded until then. */
  private final Set<String> waiting = ConcurrentHashMap.newKeySet();

  Trash(Catalog catalog, PoolService pools, Locks locks, Background background) {
    this.catalog = catalog;
    this.pools = pools;
    this.locks = locks;
    this.background = background;
  }

  /** Removes volumes that no intent stands for. */
  void discard(List<Intent.VolumeRef> volumes) {
    background.execute(() -> remove(volumes));
  }

  /** Removes volumes of a pool that belong to nobody, and what a crash left of removed ones. */
  void collect(String pool, List<Intent.VolumeRef> orphans) {
    background.execute(() -> remove(orphans));
    reclaimBehind(pool);
  }

  /**
   * Removes what a failed operation has made, and gives back its space: it may have failed for want
   * of it.
   */
  static void takeBack(StoragePool pool, VolumeId volume) {
    pool.discard(volume);
    try {
      pool.reclaim();
    } catch (StapesException e) {
      LOG.warn("the space of {} comes back later: {}", volume, e.getMessage());
    }
  }

  /** Removes volumes, then the intent that stands for them. */
  void discard(String intentId, List<Intent.VolumeRef> volumes) {
    background.execute(
        () -> {
          // A loss of power must not bring back records of volumes that are gone.
          catalog.sync();
          if (remove(volumes)) {
            catalog.change(false).removeIntent(intentId).commit();
          }
        });
  }

  /** Removes volumes now; says whether all of them are gone. */
  boolean remove(List<Intent.VolumeRef> volumes) {
    Map<String, List<VolumeId>> ids = new LinkedHashMap<>();
    for (Intent.VolumeRef ref : volumes) {
      ids.computeIfAbsent(ref.pool(), pool -> new ArrayList<>()).add(ref.volumeId());
    }
    boolean all = true;
    for (Map.Entry<String, List<VolumeId>> each : ids.entrySet()) {
      all &= remove(each.getKey(), each.getValue());
    }
    ids.keySet().forEach(this::reclaimBehind);
    return all;
  }

  private boolean remove(String pool, List<VolumeId> ids) {
    try (Locks.Held held = sharing(pool)) {
      pools.pool(pool).discardAll(ids);
      return true;
    } catch (StapesException e) {
      if (e.kind() == StapesException.Kind.NOT_FOUND) {
        return true;
      }
      LOG.warn("of {} in pool {} some stay for now: {}", ids, pool, e.getMessage());
      return false;
    }
  }

  /** Gives back the space of what was discarded; once for all that come together. */
  void reclaimBehind(String pool) {
    if (waiting.add(pool)) {
      background.execute(
          () -> {
            waiting.remove(pool);
            try (Locks.Held held = sharing(pool)) {
              if (pools.isUsable(pool)) {
                pools.pool(pool).reclaim();
              }
            }
          });
    }
  }

  private Locks.Held sharing(String pool) {
    Locks.Claim claim = new Locks.Claim(Set.of(), Set.of(Work.lockOfPool(pool)));
    return locks.acquire(claim, "removal of volumes in pool " + pool, PATIENCE);
  }
}
