package dev.stapes.storage.lvm;

import dev.stapes.spi.Undo;
import java.util.List;

/** Makes volumes: where that fails there is none, or one that is listed and can be discarded. */
final class NewVolumes {
  private final PoolVolumes volumes;
  private final Catalog catalog;
  private final Space space;
  private final ActiveVolumes active;
  private final VolumeMounts mounts;

  NewVolumes(
      PoolVolumes volumes,
      Catalog catalog,
      Space space,
      ActiveVolumes active,
      VolumeMounts mounts) {
    this.volumes = volumes;
    this.catalog = catalog;
    this.space = space;
    this.active = active;
    this.mounts = mounts;
  }

  /** Makes one. CONFLICT where it exists, EXHAUSTED where the pool is nearly full. */
  void publish(ThinVolume volume, Runnable maker) {
    catalog.look().begin(volume.id());
    try {
      space.require();
      try {
        maker.run();
        catalog.put(volume);
      } catch (RuntimeException e) {
        Undo.after(e, () -> takeBack(volume));
        throw e;
      }
      active.made(volume.name());
    } finally {
      catalog.end(volume.id());
    }
  }

  private void takeBack(ThinVolume volume) {
    try {
      mounts.forget(volume);
      volumes.removeIfThere(volume.name());
      active.gone(List.of(volume.name()));
    } catch (RuntimeException e) {
      catalog.put(volume);
      active.made(volume.name());
      throw e;
    }
  }
}
