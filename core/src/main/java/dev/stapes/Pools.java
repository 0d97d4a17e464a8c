package dev.stapes;

import dev.stapes.internal.engine.Engine;
import dev.stapes.model.PoolInfo;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.StapesException;
import java.util.List;
import java.util.SortedMap;

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
   * @throws StapesException NOT_FOUND; UNAVAILABLE where it is one of the {@link #broken}
   */
  public Pool get(String name) {
    engine.pools().info(name);
    return new Pool(engine, name);
  }

  /** The pool that root disks go to where nothing else is said. */
  public Pool byDefault() {
    return new Pool(engine, engine.pools().defaultName());
  }

  /** What all of them are that can be used, by name. */
  public List<PoolInfo> list() {
    return engine.pools().list();
  }

  /** Those that did not open, by name, and why. The next open of the root directory tries again. */
  public SortedMap<String, String> broken() {
    return engine.pools().broken();
  }

  /**
   * Forgets one of the {@link #broken}, such as one whose disk is gone, with its custom volumes.
   * Nothing on its source is touched; what Stapes kept in its own directory for it, such as a loop
   * file, is moved to {@code pools/.<name>-forgotten-<id>} below the root directory and left to
   * you.
   *
   * @throws StapesException NOT_FOUND; CONFLICT where it can be used ({@link Pool#delete} it); BUSY
   *     where the root disk of an instance is in it or a disk device names it, naming the instance:
   *     delete that first, which needs no disk
   */
  public void forget(String name) {
    engine.pools().forget(name);
  }
}
