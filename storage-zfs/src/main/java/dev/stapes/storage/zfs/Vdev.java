package dev.stapes.storage.zfs;

import java.nio.file.Path;
import java.util.Optional;

/** The one thing that a zpool of ours is made of. */
interface Vdev {
  /** Absolute, as {@code zpool} takes it. */
  Path path();

  /**
   * Makes it ready to have a zpool made on it.
   *
   * @throws dev.stapes.model.StapesException CONFLICT where there is something on it
   */
  void prepare();

  /**
   * Looks whether it is there.
   *
   * @throws dev.stapes.model.StapesException UNAVAILABLE where it is not
   */
  void require();

  /** Leaves nothing on it, when its zpool is destroyed. */
  void clear();

  /** Makes it larger; empty where that is not ours to do. */
  Optional<Backing.Resize> resize();
}
