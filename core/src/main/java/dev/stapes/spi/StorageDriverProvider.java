package dev.stapes.spi;

import dev.stapes.model.ConfigKey;
import dev.stapes.model.PoolSpec;
import java.nio.file.Path;
import java.util.List;

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
   * @param directory for the pool's own files, existing and empty
   */
  StoragePool create(Host host, PoolSpec spec, Path directory);

  /**
   * Opens a pool that was made before; makes nothing.
   *
   * @throws dev.stapes.model.StapesException UNAVAILABLE where its file, device or directory is
   *     gone or is no pool
   */
  StoragePool open(Host host, PoolSpec spec, Path directory);
}
