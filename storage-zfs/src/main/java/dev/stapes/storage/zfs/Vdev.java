package dev.stapes.storage.zfs;

import java.nio.file.Path;
import java.util.Optional;

/** The one thing that a zpool of ours is made of. */
interface Vdev {
  /** Absolute, as {@code zpool} takes it. */
  Path path();

  /**
   * Looks whether a zpool can be made on it; changes nothing.
   *
   * @throws dev.stapes.model.StapesException CONFLICT where there is something on it
   */
  void check();

  /** Makes it ready to have a zpool made on it. */
  void prepare();

  /** Whether it lies in the pool's directory, and so goes with it. */
  boolean isInDirectory();

  /** Whether what ZFS names as a part of a zpool is this, or a part of this. */
  boolean isPartOf(Path part);

  /**
   * Looks whether more can be written to it.
   *
   * @throws dev.stapes.model.StapesException EXHAUSTED where it cannot
   */
  void requireRoom();

  /**
   * Looks whether it is there.
   *
   * @throws dev.stapes.model.StapesException UNAVAILABLE where it is not
   */
  void require();

  /**
   * Leaves nothing on it, when its zpool is destroyed or was not made; what somebody else has
   * written to it since stays.
   *
   * @throws dev.stapes.model.StapesException BUSY where somebody uses it; UNAVAILABLE where it is
   *     not there
   */
  void clear();

  /** Makes it larger; empty where that is not ours to do. */
  Optional<Backing.Resize> resize();
}
