package dev.stapes.storage.zfs;

import dev.stapes.model.Size;
import java.util.Map;
import java.util.Optional;

/**
 * What the dataset of a pool lies in. {@link #make} and {@link #open} come first, {@link #close} or
 * {@link #remove} last.
 */
interface Backing {
  /** The component of the pool's own dataset. */
  String OWN = "stapes";

  /** What the pool's own dataset has, and all volumes inherit. */
  Map<String, String> PROPERTIES =
      Map.of(
          "mountpoint",
          "legacy",
          "atime",
          "off",
          "xattr",
          "sa",
          "acltype",
          "posixacl",
          "compression",
          "lz4",
          Backing.MARKER,
          Backing.LAYOUT);

  /** The property that says that a dataset is a pool of Stapes. */
  String MARKER = "dev.stapes:pool";

  /** Its value: how volumes are called and kept. */
  String LAYOUT = "1";

  /**
   * Makes the pool's own dataset where there is nothing yet.
   *
   * @throws dev.stapes.model.StapesException CONFLICT where there is something; it is not touched
   */
  void make();

  /**
   * Makes sure that ZFS knows the pool's own dataset.
   *
   * @throws dev.stapes.model.StapesException UNAVAILABLE where there is none; nothing is made
   */
  void open();

  /** The pool's own dataset. */
  DatasetName root();

  /** Total and used space. */
  Usage usage();

  /** Lets it go, unless somebody uses it. */
  void close();

  /** Removes the dataset with all that is in it. */
  void remove();

  /** Makes it larger; empty where that is not ours to do. */
  Optional<Resize> resize();

  /**
   * Space.
   *
   * @param total there is
   * @param used of it, by anybody
   */
  record Usage(Size total, Size used) {}

  /** Makes it larger. */
  @FunctionalInterface
  interface Resize {
    /** Grows to a size. */
    void growTo(Size size);
  }
}
