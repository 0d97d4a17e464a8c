package dev.stapes.storage.lvm;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Chooses where the volumes of a pool have their space from. */
final class Spaces {
  private static final Logger LOG = LoggerFactory.getLogger(Spaces.class);

  private Spaces() {}

  /**
   * Looks whether a pool can be made in a group.
   *
   * @param room what it may take, in bytes
   * @throws StapesException EXHAUSTED
   */
  static void requireRoom(PoolContext pool, VolumeGroup group, long room) {
    if (!pool.isPlain()) {
      ThinPoolPlan unused = ThinPool.plan(pool, group, room);
    } else if (room < group.extent()) {
      throw pool.failure(Kind.EXHAUSTED, "the volume group has nothing free");
    }
  }

  /** Makes the one that bears the mark. */
  static PoolVolumes make(PoolContext pool, Lvm lvm, String group, long room, String mark) {
    VolumeGroup info = lvm.group(group);
    requireRoom(pool, info, room);
    return pool.isPlain()
        ? PlainVolumes.mark(lvm, group, LvmNames.fresh(), mark, info)
        : ThinPool.create(lvm, group, LvmNames.fresh(), mark, ThinPool.plan(pool, info, room))
            .volumes();
  }

  /**
   * Looks whether a pool is as its config says.
   *
   * @throws StapesException INVALID where it was made otherwise
   */
  static void requireAsMade(PoolContext pool, PoolVolumes volumes) {
    if (volumes.isPlain() != pool.isPlain()) {
      throw StapesException.invalid(
          pool.subject(),
          LvmKeys.THIN.name()
              + " is \""
              + !pool.isPlain()
              + "\", but the pool was made with \""
              + !volumes.isPlain()
              + "\", which does not change");
    }
  }

  /**
   * That of an open pool.
   *
   * @param left takes the names of logical volumes that could not be removed
   */
  static Space of(
      PoolContext pool,
      PoolVolumes volumes,
      Backing backing,
      ActiveVolumes active,
      Consumer<String> left) {
    if (volumes.isPlain() && !pool.hasSnapshots()) {
      LOG.warn("{}: nothing can be copied: {}", pool.subject(), PoolContext.NO_SNAPSHOTS);
    }
    return volumes.isPlain()
        ? new PlainSpace(pool, new PlainVolumes(volumes), backing, active, left)
        : new ThinSpace(pool, new ThinPool(volumes), backing);
  }
}
