package dev.stapes.spi;

import dev.stapes.model.ConfigKey;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** A storage driver: makes and opens pools. */
public interface StorageDriverProvider extends Provider {
  /** Whether it can work on a host. */
  Availability probe(Host host);

  /** The config keys of its pools. */
  List<ConfigKey<?>> poolKeys();

  /**
   * Makes a pool: formats its loop file or device, or lays out a directory. An existing directory
   * or file system that is not empty and no pool of Stapes is refused with CONFLICT; nothing of it
   * is touched. Where it fails nothing is left.
   *
   * <p>What lies outside of the directory, such as a zpool or a logical volume, belongs to the
   * machine, and a process that is killed leaves it there. So before anything of that kind is made
   * a {@link DurableFile} in the directory says which it will be; {@link #sweep} goes by it.
   *
   * @param directory for the pool's own files, existing and empty
   */
  StoragePool create(Host host, PoolSpec spec, Path directory);

  /**
   * Opens a pool that was made before; makes nothing.
   *
   * @throws dev.stapes.model.StapesException UNAVAILABLE where its file, device or directory is
   *     gone, for now or for good, or is no pool
   */
  StoragePool open(Host host, PoolSpec spec, Path directory);

  /**
   * Removes what is left of a pool whose creation or removal was cut short, by a crash or an error.
   * No such pool is open or has a record, and its directory is removed afterwards: what lies in the
   * directory alone may stay there. Where nothing is left it does nothing; it may be called again.
   *
   * <p>As it is here, nothing is removed after a creation, and after a removal the pool is opened
   * and destroyed. It is gone where {@link #open} fails with NOT_FOUND, and where it fails with
   * UNAVAILABLE and nothing is in the directory. A driver that keeps nothing there, or that can
   * tell what is gone from what cannot be reached now, does this itself.
   *
   * @param spec as it was given to {@link #create}
   * @param directory as it was given to {@link #create}
   * @throws StapesException where something is left; it is called again by the next Stapes
   */
  default void sweep(Host host, PoolSpec spec, Path directory, Unfinished what) {
    if (what == Unfinished.CREATION) {
      return;
    }
    StoragePool pool;
    try {
      pool = open(host, spec, directory);
    } catch (StapesException e) {
      if (e.kind() == Kind.NOT_FOUND || (e.kind() == Kind.UNAVAILABLE && isEmpty(directory))) {
        return;
      }
      throw e;
    }
    try {
      pool.destroy();
    } catch (RuntimeException e) {
      Undo.after(e, pool::close);
      throw e;
    }
  }

  private static boolean isEmpty(Path directory) {
    try (Stream<Path> files = Files.list(directory)) {
      return files.findAny().isEmpty();
    } catch (IOException e) {
      return Files.notExists(directory);
    }
  }

  /** What was cut short. */
  enum Unfinished {
    /**
     * The making of a pool. It may not even have begun: what is at its source may be somebody
     * else's. So only that is removed which is proven to be of this pool, by what stands in its
     * directory.
     */
    CREATION,

    /** The removal of a pool that was open: all of it goes. */
    REMOVAL
  }
}
