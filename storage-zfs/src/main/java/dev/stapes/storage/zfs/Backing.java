package dev.stapes.storage.zfs;

import dev.stapes.model.Size;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What the dataset of a pool lies in. {@link #make} and {@link #open} come first, {@link #close} or
 * {@link #remove} last.
 */
interface Backing {
  /** The component of the pool's own dataset. */
  String OWN = "stapes";

  /** What the pool's own dataset has, and all volumes inherit. */
  static Map<String, String> properties(PoolContext pool, PoolMark mark) {
    Map<String, String> properties = new TreeMap<>();
    properties.put("mountpoint", "legacy");
    properties.put("atime", "off");
    properties.put("volmode", "dev"); // nobody here looks for partitions on a guest's disk
    properties.put("xattr", "sa");
    properties.put("acltype", "posixacl");
    properties.put("compression", "lz4");
    pool.spec()
        .config()
        .get(ZfsKeys.BLOCK_SIZE)
        .ifPresent(size -> properties.put("recordsize", Long.toString(size.bytes())));
    properties.put(PoolMark.PROPERTY, mark.id());
    properties.put(DIRECTORY, place(pool));
    properties.put(MARKER, LAYOUT);
    return properties;
  }

  /** The pool's directory, with nothing in it that a list of ZFS could be confused by. */
  static String place(PoolContext pool) {
    return pool.directory().toAbsolutePath().normalize().toUri().getRawPath();
  }

  /** The property that says that a dataset is a pool of Stapes. */
  String MARKER = "dev.stapes:pool";

  /** Its value: how volumes are called and kept. */
  String LAYOUT = "1";

  /** The property that says in which directory the pool is, as the path of a URI. */
  String DIRECTORY = "dev.stapes:directory";

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

  /**
   * Looks whether more can be written.
   *
   * @throws dev.stapes.model.StapesException EXHAUSTED where what it lies in is full
   */
  default void requireRoom() {
    // ZFS says so itself
  }

  /** Whether a copy of the pool's directory would be the same pool. */
  default boolean isBoundToDirectory() {
    return true;
  }

  /** Lets it go, unless somebody uses it. */
  void close();

  /** Removes the dataset with all that is in it; again, where it came not to the end. */
  void remove();

  /** Removes what was made of it, by what the pool's directory says; nothing that it does not. */
  void sweep();

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
