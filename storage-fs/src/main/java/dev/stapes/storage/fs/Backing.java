package dev.stapes.storage.fs;

import dev.stapes.model.Size;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What a Btrfs pool lies on. {@link #mount} and {@link #unmount} go in pairs; {@link #format} and
 * {@link #remove} happen once each, while it is not mounted.
 */
interface Backing {
  /**
   * Makes an empty file system where there is nothing yet.
   *
   * @throws dev.stapes.model.StapesException CONFLICT where there is something; it is not touched
   */
  void format();

  /**
   * Makes the file system appear.
   *
   * @return where, in the host's mount namespace
   * @throws dev.stapes.model.StapesException UNAVAILABLE where there is none; nothing is made
   */
  Path mount();

  /** Whether there is more room below than the mounted file system uses. */
  default boolean hasGrown() {
    return false;
  }

  /** Lets it go; it stays with the machines that use it. Does nothing where it is not mounted. */
  void unmount();

  /** Removes the file system with all that is left in it. */
  void remove();

  /** Makes it larger, while it is mounted; empty where that is not ours to do. */
  Optional<Resize> resize();

  /** Makes a mounted file system larger. */
  @FunctionalInterface
  interface Resize {
    /** Grows what is below the file system. */
    void growTo(Size size);
  }
}
