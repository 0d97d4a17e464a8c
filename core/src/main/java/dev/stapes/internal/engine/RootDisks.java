package dev.stapes.internal.engine;

import dev.stapes.internal.image.PairedPool;
import dev.stapes.internal.image.VolumeDisk;
import dev.stapes.model.InstanceType;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.VolumeId;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The size of root disks. For a container it is a limit on its volume. The disk of a virtual
 * machine is a file of that size in its volume, which has no limit beside that, or a block device
 * of its own.
 */
final class RootDisks {
  private final PoolService pools;
  private final Machines machines;

  RootDisks(PoolService pools, Machines machines) {
    this.pools = pools;
    this.machines = machines;
  }

  /**
   * Whether it is a volume in memory, whose size was fixed when it was made. That of a virtual
   * machine is not: the first write to its disk would copy all of it into memory.
   */
  static boolean livesInMemory(InstanceRecord record, StoragePool pool) {
    return record.isThrowaway() && !isMachine(record) && pool.scratch().isPresent();
  }

  private static boolean isMachine(InstanceRecord record) {
    return record.type() == InstanceType.VIRTUAL_MACHINE;
  }

  /** Makes that of an instance without an image. */
  static void createEmpty(StoragePool pool, InstanceRecord record) {
    pool.create(record.volumeId());
    if (isMachine(record)) {
      diskOf(pool, record).create(record.rootDisk().size());
    }
  }

  /** Makes it of the volume of an image. */
  static void createFrom(StoragePool pool, VolumeId image, InstanceRecord record) {
    Optional<Size> size = record.rootDisk().size();
    if (livesInMemory(record, pool)) {
      pool.scratch().orElseThrow().create(image, record.volumeId(), size);
      return;
    }
    pool.copy(image, record.volumeId(), false);
    if (isMachine(record)) {
      diskOf(pool, record).fit(size);
    }
  }

  /** Limits one that was just made, as far as it is to be. */
  void limit(StoragePool pool, InstanceRecord record) {
    if (!livesInMemory(record, pool) && !isMachine(record)) {
      pools.limit(pool, record.volumeId(), record.rootDisk().size());
    }
  }

  /** Makes a change of its size take effect. */
  void resize(InstanceRecord before, InstanceRecord after, Work.Step step) {
    Optional<Size> size = after.rootDisk().size();
    if (before.rootDisk().size().equals(size)) {
      return;
    }
    StoragePool pool = pools.pool(before.pool());
    if (isMachine(before)) {
      grow(pool, before, size, step);
      return;
    }
    StoragePool.Quotas quotas =
        pool.quotas()
            .orElseThrow(
                () ->
                    new StapesException(
                        Kind.UNSUPPORTED,
                        before.subject(),
                        "pool " + before.pool() + " cannot limit the size of a volume"));
    step.undo(
        "size of " + before.subject(),
        () -> quotas.limit(before.volumeId(), before.rootDisk().size()));
    quotas.limit(before.volumeId(), size);
  }

  /** A running machine that was told of it keeps the size, even where something fails later. */
  private void grow(StoragePool pool, InstanceRecord record, Optional<Size> size, Work.Step step) {
    boolean device = PairedPool.hasDevice(pool, record.volumeId());
    requireNoShrinking(record, size);
    VolumeDisk disk = diskOf(pool, record);
    Size had = disk.size();
    AtomicBoolean told = new AtomicBoolean();
    step.undo(
        "size of " + record.subject(),
        () -> {
          if (!told.get() && !device) { // which does not become smaller
            disk.shrinkTo(had);
          }
        });
    if (record.rootDisk().size().isPresent()) {
      disk.growTo(size.orElse(VolumeDisk.USUAL));
    } else {
      disk.fit(size);
    }
    machines
        .find(record.instanceId())
        .ifPresent(
            running -> {
              running.machine().rootGrew(disk.size());
              told.set(true);
            });
  }

  /** It may have a bit more than was asked for: what was is in the record. */
  private static void requireNoShrinking(InstanceRecord record, Optional<Size> size) {
    Optional<Size> before = record.rootDisk().size();
    if (before.isPresent() && size.isPresent() && size.get().compareTo(before.get()) < 0) {
      throw StapesException.invalid(
          record.subject(),
          "its disk was given " + before.get() + ", and cannot shrink to " + size.get());
    }
  }

  private static VolumeDisk diskOf(StoragePool pool, InstanceRecord record) {
    return new VolumeDisk(pool, record.volumeId(), record.subject());
  }
}
