package dev.stapes;

import dev.stapes.internal.engine.Engine;
import dev.stapes.model.PoolInfo;
import dev.stapes.model.Size;

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

  /** Its custom volumes. */
  public Volumes volumes() {
    return new Volumes(engine, name);
  }
}
