package dev.stapes.storage.fs;

import dev.stapes.linux.Fd;
import dev.stapes.linux.block.TreeUsage;
import dev.stapes.linux.btrfs.BtrfsFileSystem;
import dev.stapes.linux.btrfs.Qgroups;
import dev.stapes.linux.btrfs.Subvolumes;
import dev.stapes.model.Size;
import dev.stapes.spi.Gate;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.VolumeId;
import java.util.Optional;

/**
 * Limits by quota groups. They cost each commit some time, so they are switched on with the first
 * limit and not before; until then usage is counted file by file.
 */
final class BtrfsQuotas implements StoragePool.Quotas {
  private final PoolContext pool;
  private final Ids ids;
  private final Gate gate;
  private final Qgroups groups;
  private final Subvolumes subvolumes;
  private final BtrfsFileSystem fileSystem;

  BtrfsQuotas(PoolContext pool, Ids ids, Gate gate) {
    this.pool = pool;
    this.ids = ids;
    this.gate = gate;
    this.groups = new Qgroups(pool.sys());
    this.subvolumes = new Subvolumes(pool.sys());
    this.fileSystem = new BtrfsFileSystem(pool.sys());
  }

  @Override
  public void limit(VolumeId id, Optional<Size> size) {
    gate.pass(
        "limit " + id,
        () -> {
          try (Fd volume = ids.open(id)) {
            if (!groups.areOn(volume)) {
              if (size.isEmpty()) {
                return;
              }
              groups.enable(volume);
            }
            groups.limit(volume, subvolumes.id(volume), size.map(Size::bytes).orElse(-1L));
          }
        });
  }

  @Override
  public Size usage(VolumeId id) {
    return gate.pass(
        "usage of " + id,
        () -> {
          try (Fd volume = ids.open(id)) {
            return Size.ofBytes(counted(volume).orElseGet(() -> summed(volume)));
          }
        });
  }

  private Optional<Long> counted(Fd volume) {
    if (!groups.areOn(volume)) {
      return Optional.empty();
    }
    fileSystem.sync(volume); // the counts are as of the last commit
    groups.settle(volume);
    return groups.referenced(volume, subvolumes.id(volume));
  }

  private long summed(Fd volume) {
    return new TreeUsage(pool.sys()).of(volume);
  }

  /** Removes what is left of volumes that are gone. */
  void sweep(Fd any) {
    if (groups.areOn(any)) {
      groups.sweep(any);
    }
  }
}
