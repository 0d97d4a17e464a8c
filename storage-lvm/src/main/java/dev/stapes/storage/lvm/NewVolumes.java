package dev.stapes.storage.lvm;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
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
        requireOnly(volume);
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

  /** Of two machines that make one volume at once each may see both: then neither has it. */
  private void requireOnly(ThinVolume volume) {
    if (!volumes.isShared()) {
      return;
    }
    for (ThinVolume other : volumes.content().volumes()) {
      if (other.id().equals(volume.id()) && !other.name().equals(volume.name())) {
        throw new StapesException(
            Kind.CONFLICT, volume.subject(), "another machine has made it at the same time");
      }
    }
  }

  private void takeBack(ThinVolume volume) {
    try {
      mounts.forget(volume);
      volumes.removeIfThere(volume.name());
      active.gone(List.of(volume.name()));
    } catch (RuntimeException e) {
      catalog.put(volume);
      throw e;
    }
  }
}
