package dev.stapes.storage.lvm;

import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.model.PoolInfo;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Undo;
import dev.stapes.storage.lvm.ThinMap.Range;
import dev.stapes.storage.lvm.ThinMetadata.Parts;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * The extents of a group: a volume takes all of its size at once, and a copy has all of its blocks.
 * Extents are as somebody left them, so what is new is made zeros before anybody sees it.
 */
final class PlainSpace implements Space {
  private static final long MIB = 1L << 20;

  /** What a copy is made of takes what is written to its source meanwhile, up to that part. */
  private static final long PART = 4;

  private static final long USUAL_MOMENT = 64 * MIB;
  private static final long LEAST_MOMENT = 4 * MIB;

  /** A helper goes, and a volume has its extents. */
  private static final int CHANGES_OF_GROWTH = 2;

  private final PoolContext pool;
  private final PlainVolumes plain;
  private final PoolVolumes volumes;
  private final Backing backing;
  private final ActiveVolumes active;
  private final Consumer<String> left;

  /** Held while extents are taken, and while they go from one to another. */
  private final Object extents = new Object();

  /** Bytes that are free, but somebody's; guarded by the extents. */
  private long kept;

  /**
   * Of an open pool.
   *
   * @param left takes the names of logical volumes that could not be removed
   */
  PlainSpace(
      PoolContext pool,
      PlainVolumes plain,
      Backing backing,
      ActiveVolumes active,
      Consumer<String> left) {
    this.pool = pool;
    this.plain = plain;
    this.volumes = plain.volumes();
    this.backing = backing;
    this.active = active;
    this.left = left;
  }

  @Override
  public PoolInfo.Copies copies() {
    return PoolInfo.Copies.PER_FILE;
  }

  @Override
  public Usage measure() {
    return plain.usage();
  }

  @Override
  public void require() {
    backing.requireRoom();
  }

  @Override
  public void requireNow() {
    backing.requireRoom();
  }

  @Override
  public long usualSize() {
    Size size = pool.get(LvmKeys.VOLUME_SIZE).orElse(PoolRoom.USUAL_VOLUME);
    return ThinPoolPlan.up(size.bytes(), volumes.groupInfo().extent());
  }

  @Override
  public long rounded(String subject, Size size) {
    if (size.bytes() > StreamHeader.MOST) {
      throw new StapesException(
          Kind.EXHAUSTED, subject, "no volume of LVM is so large: " + size.toDisplay());
    }
    return ThinPoolPlan.up(Math.max(MIB, size.bytes()), volumes.groupInfo().extent());
  }

  /** What nobody keeps. */
  private long free(VolumeGroup group) {
    synchronized (extents) {
      return Math.max(0, group.free() - kept);
    }
  }

  private void requireFree(VolumeGroup group, long bytes) {
    requireFree(group, bytes, "");
  }

  private void requireFree(VolumeGroup group, long bytes, String advice) {
    long free = free(group);
    if (bytes > free) {
      throw pool.failure(
          Kind.EXHAUSTED,
          "the volume group has "
              + Size.ofBytes(free).toDisplay()
              + " free, but "
              + Size.ofBytes(bytes).toDisplay()
              + " are needed: volumes take all of their size at once"
              + advice);
    }
  }

  @Override
  public void create(ThinVolume volume) {
    VolumeGroup group = volumes.groupInfo();
    requireFree(group, ThinPoolPlan.up(volume.size(), group.extent()), advice(volume));
    allocate(volume.name(), volume.size(), VolumeTags.unnamed(volume));
    pool.contents().zero(volumes.device(volume.name()), this::requireNow);
  }

  /** For who said no size. */
  private String advice(ThinVolume volume) {
    boolean usual =
        volume.format().isPresent()
            && pool.get(LvmKeys.VOLUME_SIZE).isEmpty()
            && volume.size() >= PoolRoom.USUAL_VOLUME.bytes();
    return usual
        ? ", and have " + PoolRoom.USUAL_VOLUME.toDisplay() + " where the pool has no volume.size"
        : "";
  }

  @Override
  public void createBlock(ThinVolume volume) {
    create(volume);
    volumes.name(volume);
  }

  private void allocate(String name, long size, List<String> tags) {
    synchronized (extents) {
      active.comes(name);
      plain.allocate(name, size, tags);
    }
  }

  /** Its source is shown as of one moment by a snapshot, as long as this takes. */
  @Override
  public void copy(String source, String target, List<String> tags) {
    pool.requireSnapshots();
    long size = volumes.size(source);
    active.use(source);
    try {
      String moment = begin(source, target, size);
      try {
        copy(source, moment, volumes.device(target));
      } catch (RuntimeException e) {
        Undo.after(e, () -> forget(moment));
        throw e;
      }
      forget(moment);
    } finally {
      active.release(source);
    }
    active.letGo(target);
    volumes.become(target, tags);
  }

  /** Both take of what is free: nobody else does in between. */
  private String begin(String source, String target, long size) {
    synchronized (extents) {
      VolumeGroup group = volumes.groupInfo();
      requireFree(group, size + leastMoment(group));
      long usual = ThinPoolPlan.up(Math.max(size / PART, USUAL_MOMENT), group.extent());
      long room = Math.min(usual, free(group) - size);
      allocate(target, size, List.of(VolumeTags.TRASH));
      String moment = LvmNames.freshVolume();
      try {
        active.comes(moment);
        plain.moment(source, moment, room);
        return moment;
      } catch (RuntimeException e) {
        Undo.after(e, () -> forget(moment));
        throw e;
      }
    }
  }

  private static long leastMoment(VolumeGroup group) {
    return ThinPoolPlan.up(LEAST_MOMENT, group.extent());
  }

  @Override
  public Room forCopyOf(long size) {
    pool.requireSnapshots();
    synchronized (extents) {
      VolumeGroup group = volumes.groupInfo();
      long one = ThinPoolPlan.up(size, group.extent());
      long copy = one + leastMoment(group);
      requireFree(group, one + copy);
      kept += copy;
      AtomicLong rest = new AtomicLong(copy);
      return () -> giveBack(rest.getAndSet(0));
    }
  }

  private void giveBack(long bytes) {
    synchronized (extents) {
      kept -= bytes;
    }
  }

  private void copy(String source, String moment, Path target) {
    try {
      pool.contents().copy(volumes.device(moment), target, this::requireNow);
    } catch (LinuxException e) {
      if (e.is(Errno.EIO) && plain.isOver(moment)) {
        throw pool.failure(Kind.EXHAUSTED, overflow(source), e);
      }
      throw e;
    }
    if (plain.isOver(moment)) { // what was read last may be newer
      throw pool.failure(Kind.EXHAUSTED, overflow(source));
    }
  }

  private static String overflow(String source) {
    return "more was written to "
        + source
        + " while it was copied than the volume group had room for";
  }

  /** A later reclaim removes what stays; a copy is none as long as its source has a snapshot. */
  private void forget(String helper) {
    boolean interrupted = Thread.interrupted(); // LVM begins nothing for who is
    try {
      volumes.removeIfThere(helper);
      active.gone(List.of(helper));
    } catch (StapesException e) {
      left.accept(helper);
      active.made(helper);
      throw e;
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** What it has is a multiple of the extents. */
  @Override
  public void resize(String volume, long now, long bytes) {
    VolumeGroup group = volumes.groupInfo();
    long has = volumes.size(volume);
    long wanted = ThinPoolPlan.up(bytes, group.extent());
    if (wanted > has) {
      requireFree(group, wanted - has);
      grow(volume, wanted, wanted - has);
    } else if (wanted < has && bytes < now) {
      plain.reduce(volume, wanted);
    }
  }

  /**
   * Who has the device sees the new size at once, and may write there: so the extents are those of
   * another volume until they are zeros. Where somebody else has made it as large meanwhile they
   * are not needed.
   */
  private void grow(String volume, long wanted, long more) {
    String helper = LvmNames.freshVolume();
    try {
      allocate(helper, more, List.of(VolumeTags.TRASH));
      pool.contents().zero(volumes.device(helper), this::requireNow);
      List<String> where = plain.extents(helper);
      synchronized (extents) {
        long changes = changes();
        volumes.remove(List.of(helper));
        active.gone(List.of(helper));
        long has = volumes.size(volume);
        if (has < wanted) {
          plain.extend(volume, wanted, where);
          keepZeros(volume, has, changes);
        }
      }
    } catch (RuntimeException e) {
      Undo.after(e, () -> forget(helper));
      throw e;
    }
  }

  /** No look where nobody else takes extents. */
  private long changes() {
    return volumes.isShared() ? plain.changes() : 0;
  }

  /**
   * Another machine may have had the extents, and given them back, while they were nobody's. Where
   * the group has had other changes than those of this growth they are made zeros again, before
   * anybody is told of the size.
   *
   * @param before changes, when they were the helper's
   */
  private void keepZeros(String volume, long has, long before) {
    if (!volumes.isShared()) {
      return;
    }
    try {
      if (plain.changes() != before + CHANGES_OF_GROWTH) {
        pool.contents().zero(volumes.device(volume), has, this::requireNow);
      }
    } catch (RuntimeException e) {
      Undo.after(e, () -> plain.reduce(volume, has));
      throw e;
    }
  }

  @Override
  public long used(ThinVolume volume) {
    return volumes.size(volume.name());
  }

  /** Nobody knows more of it. */
  @Override
  public Parts mapped(String volume, Holding stream) {
    long size = volumes.size(volume);
    return new Parts(size, List.of(new Range(0, size)));
  }

  @Override
  public Parts changed(String base, String volume, Holding stream) {
    return mapped(volume, stream);
  }

  @Override
  public void awaitEnd() {
    // nobody looks for parts
  }

  @Override
  public long size() {
    return measure().size();
  }

  /** What the group has free is the pool's already. */
  @Override
  public boolean fill() {
    return false;
  }

  @Override
  public void extend(long bytes) {
    // what the group has free is the pool's already
  }
}
