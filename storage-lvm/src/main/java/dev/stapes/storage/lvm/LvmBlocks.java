package dev.stapes.storage.lvm;

import dev.stapes.linux.Fd;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.block.LoopDevice;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Gate;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.StoragePool.Attachment;
import dev.stapes.spi.Undo;
import dev.stapes.spi.VolumeId;
import dev.stapes.storage.lvm.DeviceUses.Use;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/**
 * Volumes that are block devices: logical volumes without a file system. One that must not be
 * written to is shown through a loop device that refuses writes, and goes by itself with its last
 * user.
 */
final class LvmBlocks implements StoragePool.BlockVolumes {
  private final PoolContext pool;
  private final PoolVolumes volumes;
  private final Catalog catalog;
  private final Space space;
  private final Gate gate;
  private final ActiveVolumes active;
  private final NewVolumes making;
  private final DeviceUses uses = new DeviceUses();

  LvmBlocks(
      PoolContext pool,
      PoolVolumes volumes,
      Catalog catalog,
      Space space,
      Gate gate,
      ActiveVolumes active,
      NewVolumes making) {
    this.pool = pool;
    this.volumes = volumes;
    this.catalog = catalog;
    this.space = space;
    this.gate = gate;
    this.active = active;
    this.making = making;
  }

  @Override
  public void create(VolumeId id, Size size) {
    gate.pass(
        "create " + id,
        () -> {
          ThinVolume volume = ThinVolume.block(id, space.rounded("volume " + id, size));
          making.publish(volume, () -> space.createBlock(volume));
        });
  }

  @Override
  public Optional<Size> size(VolumeId id) {
    return gate.pass(
        "size of " + id,
        () -> {
          ThinVolume volume = catalog.look().get(id);
          return volume.format().isPresent()
              ? Optional.<Size>empty()
              : Optional.of(Size.ofBytes(volume.size()));
        });
  }

  @Override
  public void grow(VolumeId id, Size size) {
    gate.pass(
        "grow " + id,
        () -> {
          ThinVolume known = catalog.look().get(id).blocks().writable();
          active.alone(known, () -> growTo(id, size));
        });
  }

  private void growTo(VolumeId id, Size size) {
    ThinVolume volume = catalog.look().get(id);
    long wanted = space.rounded(volume.subject(), size);
    if (wanted < volume.size()) {
      throw StapesException.invalid(
          volume.subject(),
          "does not shrink: it has " + Size.ofBytes(volume.size()) + ", asked for " + size);
    }
    if (wanted > volume.size()) {
      space.require();
      space.resize(volume.name(), volume.size(), wanted);
      catalog.put(volume.sized(wanted));
    }
    uses.grown(volume.name());
  }

  @Override
  public Attachment attach(VolumeId id, boolean readOnly) {
    return gate.pass(
        "attach " + id,
        () -> {
          ThinVolume volume = catalog.look().get(id).blocks();
          if (!readOnly) {
            volume.writable();
          }
          active.use(volume);
          Use use = use(volume, readOnly);
          uses.begin(use, volume.name());
          return volume.attached(use.path(), () -> uses.end(use));
        });
  }

  private Use use(ThinVolume volume, boolean readOnly) {
    try {
      return readOnly ? view(volume) : device(volume);
    } catch (RuntimeException e) {
      Undo.after(e, () -> active.release(volume.name()));
      throw e;
    }
  }

  private Use device(ThinVolume volume) {
    Path path = volumes.device(volume.name());
    Fd open = Fd.open(pool.sys(), path, Set.of(OpenFlag.READ));
    try {
      return new Use(path.toRealPath(), () -> {}, () -> letGo(open::close, volume));
    } catch (IOException e) {
      StapesException error =
          pool.failure(StapesException.Kind.UNAVAILABLE, path + ": the device is gone", e);
      Undo.after(error, open::close);
      throw error;
    }
  }

  /** A loop device, which takes over what its volume has grown by. */
  private Use view(ThinVolume volume) {
    LoopDevice loop = LoopDevice.readOnly(pool.sys(), volumes.device(volume.name()));
    return new Use(loop.path(), loop::refreshSize, () -> letGo(loop::close, volume));
  }

  private void letGo(Runnable device, ThinVolume volume) {
    try {
      device.run();
    } finally {
      active.release(volume.name());
    }
  }

  /** Lets all go; machines keep what they use. */
  void close() {
    uses.close();
  }
}
