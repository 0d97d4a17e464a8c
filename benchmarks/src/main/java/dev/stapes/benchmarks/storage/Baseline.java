package dev.stapes.benchmarks.storage;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * The bare commands that do what a driver does: what a person would type who knows the tool well,
 * and nothing more. A driver's overhead is measured against them.
 */
@FunctionalInterface
interface Baseline {
  /** Behind the name of the pool. */
  String SUFFIX = "-bare";

  /** By driver. Another driver's commands are one entry more. */
  Map<String, Baseline> ALL =
      Map.of("btrfs", BareBtrfs::make, "lvm", BareLvm::make, "zfs", BareZfs::make);

  /**
   * Makes a place like that of the pool.
   *
   * @param name in the results
   * @param directory empty
   * @param bytes as large as the pool is
   */
  Volumes make(String name, Path directory, long bytes) throws IOException, InterruptedException;

  /**
   * Those for a pool; none where there are none, or the pool has a device that they can't share.
   */
  static Optional<Baseline> of(PoolChoice choice) {
    return Optional.ofNullable(ALL.get(choice.spec().driver())).filter(each -> choice.isOwn());
  }
}
