package dev.stapes.storage.lvm;

import dev.stapes.model.Size;
import java.util.Optional;

/**
 * What the volumes of a pool lie on. It is attached until the one with the mark is active, which
 * holds what is below it: a JVM that is killed holds nothing more than its volumes do. {@link
 * #create} and {@link #remove} happen once each.
 */
interface Backing {
  /**
   * Looks whether a pool can be made here, and changes nothing.
   *
   * @throws dev.stapes.model.StapesException CONFLICT where there is something
   */
  void requireFree();

  /**
   * Makes the group, where it is not there, and what bears the mark in it. What was made is
   * attached. Where that fails, {@link #sweep} removes what is left.
   *
   * @param mark of the pool, and of a group that is made for it
   */
  PoolVolumes create(String mark);

  /**
   * Removes what {@link #create} and {@link #remove} left that were cut short, by the mark, and
   * nothing else; does nothing where nothing is left.
   */
  void sweep(String mark);

  /**
   * Looks whether the devices of a pool lie on this, and not on what this is a copy of.
   *
   * @throws dev.stapes.model.StapesException UNAVAILABLE
   */
  void requireOwn(PoolVolumes pool);

  /**
   * Looks whether more can be written to it.
   *
   * @throws dev.stapes.model.StapesException EXHAUSTED where it cannot
   */
  default void requireRoom() {
    // a device is as large as it is
  }

  /** Whether it lies in the pool's directory, and so a copy of that has its own. */
  boolean isInDirectory();

  /**
   * Makes the devices appear that LVM is to look at.
   *
   * @return what runs it for them
   * @throws dev.stapes.model.StapesException UNAVAILABLE where they are gone
   */
  Lvm attach();

  /** Lets the devices go; who uses them keeps them. Does nothing where they are not attached. */
  void detach();

  /** Removes the volumes, which nobody uses, and all that {@link #create} made. */
  void remove(PoolVolumes pool);

  /** Makes it larger, while it is attached; empty where that is not ours to do. */
  Optional<Resize> resize();

  /** Makes it larger by itself, while it is attached; empty where nobody asked for that. */
  Optional<Growth> growth();

  /** Makes a thin pool larger that is nearly full. */
  @FunctionalInterface
  interface Growth {
    /** In bytes, so that small pools take few. */
    long LEAST_STEP = 64L << 20;

    /**
     * Makes it larger by a step.
     *
     * @return whether it is larger now; otherwise there is no more room for it
     */
    boolean step(ThinPool pool, Fullness now);

    /** A step, as a part of what there is; up to a limit. */
    static long next(long size, long most) {
      return Math.min(most, size + Math.max(size / 5, LEAST_STEP));
    }
  }

  /** Makes a pool larger, with what it lies on. */
  @FunctionalInterface
  interface Resize {
    /** Grows it. */
    void growTo(PoolVolumes pool, Space space, Size size);
  }
}
