package dev.stapes.storage.lvm;

import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.util.Optional;

/** A volume group that is somebody's: the pool has logical volumes in it among others. */
final class GroupBacking implements Backing {
  private final PoolContext pool;
  private final String group;

  /**
   * In a group.
   *
   * @param group a name that was checked
   */
  GroupBacking(PoolContext pool, String group) {
    this.pool = pool;
    this.group = group;
  }

  /** What is free of the group is nobody's. */
  @Override
  public void requireFree() {
    VolumeGroup info = attach().group(group);
    Spaces.requireRoom(pool, info, room(info));
  }

  private long room(VolumeGroup info) {
    long wanted = pool.get(LvmKeys.SIZE).map(Size::bytes).orElse(info.free());
    if (wanted > info.free()) {
      throw pool.failure(
          Kind.EXHAUSTED,
          "the volume group has "
              + Size.ofBytes(info.free()).toDisplay()
              + " free, asked for "
              + Size.ofBytes(wanted).toDisplay());
    }
    return wanted;
  }

  @Override
  public PoolVolumes create(String mark) {
    Lvm lvm = attach();
    return Spaces.make(pool, lvm, group, room(lvm.group(group)), mark);
  }

  @Override
  public void sweep(String mark) {
    PoolVolumes.find(attach(), mark).ifPresent(found -> found.pool().destroy());
  }

  /** There is one group of a name: a copy of the pool's directory is told by its mark. */
  @Override
  public void requireOwn(PoolVolumes volumes) {
    // nothing to compare
  }

  @Override
  public boolean isInDirectory() {
    return false;
  }

  @Override
  public Lvm attach() {
    return pool.lvm(Optional.empty());
  }

  @Override
  public void detach() {
    // Its devices are there by themselves.
  }

  @Override
  public void remove(PoolVolumes volumes) {
    volumes.destroy();
  }

  @Override
  public Optional<Resize> resize() {
    // Plain volumes have all of the group already, and its owner makes that larger.
    return pool.isPlain() ? Optional.empty() : Optional.of(this::growTo);
  }

  @Override
  public Optional<Growth> growth() {
    return pool.get(LvmKeys.MOST).map(most -> (thin, now) -> step(thin, now, most.bytes()));
  }

  private static boolean step(ThinPool thin, Fullness now, long most) {
    VolumeGroup info = thin.volumes().groupInfo();
    long wanted = Growth.next(now.size(), most) - now.size();
    long possible = Math.min(wanted, info.free() - ThinPoolPlan.reserve(now.metadataSize()));
    long whole = possible / info.extent() * info.extent();
    if (whole <= 0) {
      return false;
    }
    thin.extendData(whole);
    return true;
  }

  private void growTo(PoolVolumes volumes, Space space, Size size) {
    long more = size.bytes() - space.size();
    if (more < 0) {
      throw StapesException.invalid(
          pool.subject(),
          "a pool does not shrink: it has "
              + Size.ofBytes(size.bytes() - more)
              + ", asked for "
              + size);
    }
    VolumeGroup info = volumes.groupInfo();
    long whole = ThinPoolPlan.up(more, info.extent());
    if (whole > info.free()) {
      throw pool.failure(
          Kind.EXHAUSTED,
          "the volume group has " + Size.ofBytes(info.free()).toDisplay() + " free");
    }
    if (whole > 0) {
      space.extend(whole);
    }
  }
}
