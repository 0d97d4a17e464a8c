package dev.stapes;

import dev.stapes.internal.engine.Engine;
import dev.stapes.model.PoolInfo;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.VolumeInfo;
import java.util.List;
import java.util.Optional;

/** A storage pool. */
public final class Pool {
  private final Engine engine;
  private final String name;

  Pool(Engine engine, String name) {
    this.engine = engine;
    this.name = name;
  }

  /** Its name. */
  public String name() {
    return name;
  }

  /** What it is. */
  public PoolInfo info() {
    return engine.pools().info(name);
  }

  /** Makes it larger. UNSUPPORTED where it cannot grow; INVALID where it is larger already. */
  public void grow(Size size) {
    engine.pools().grow(name, size);
  }

  /**
   * Deletes it. BUSY where instances, snapshots or volumes are in it; images go with it.
   * UNAVAILABLE where it does not open: see {@link Pools#forget}.
   */
  public void delete() {
    engine.pools().delete(name);
  }

  /**
   * Makes an empty custom volume, to be used by disk devices.
   *
   * @param size at most so much data; empty: no limit. UNSUPPORTED where the pool has no quotas
   */
  public VolumeInfo createVolume(String volume, Optional<Size> size) {
    return engine.volumes().create(name, volume, size);
  }

  /** Copies a custom volume within the pool. */
  public VolumeInfo copyVolume(String volume, String copy) {
    return engine.volumes().copy(name, volume, copy);
  }

  /** Changes the size limit of a custom volume. */
  public void resizeVolume(String volume, Optional<Size> size) {
    engine.volumes().resize(name, volume, size);
  }

  /**
   * Deletes a custom volume.
   *
   * @throws StapesException BUSY where an instance uses it, naming the instance
   */
  public void deleteVolume(String volume) {
    engine.volumes().delete(name, volume);
  }

  /** What a custom volume is. */
  public VolumeInfo volume(String volume) {
    return engine.volumes().get(name, volume);
  }

  /** All custom volumes, by name. */
  public List<VolumeInfo> volumes() {
    return engine.volumes().list(name);
  }
}
