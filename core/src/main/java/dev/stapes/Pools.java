package dev.stapes;

import dev.stapes.internal.engine.Engine;
import dev.stapes.model.PoolInfo;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.StapesException;
import java.util.List;

/** All storage pools of a root directory. */
public final class Pools {
  private final Engine engine;

  Pools(Engine engine) {
    this.engine = engine;
  }

  /** Makes a pool. CONFLICT where there is one of that name, or its source is in use. */
  public Pool create(PoolSpec spec) {
    engine.pools().create(spec);
    return new Pool(engine, spec.name());
  }

  /**
   * The pool of a name.
   *
   * @throws StapesException NOT_FOUND
   */
  public Pool get(String name) {
    engine.pools().info(name);
    return new Pool(engine, name);
  }

  /** The pool that root disks go to where nothing else is said. */
  public Pool byDefault() {
    return new Pool(engine, engine.pools().defaultName());
  }

  /** What all of them are, by name. */
  public List<PoolInfo> list() {
    return engine.pools().list();
  }
}
