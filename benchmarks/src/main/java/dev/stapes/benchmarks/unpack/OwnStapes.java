package dev.stapes.benchmarks.unpack;

import dev.stapes.Delete;
import dev.stapes.Stapes;
import dev.stapes.benchmarks.LoopBtrfs;
import dev.stapes.model.PoolSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A Stapes whose root directory and pool are on the Btrfs that all others use. */
record OwnStapes(Stapes stapes, LoopBtrfs btrfs, Path directory) implements AutoCloseable {
  /**
   * Opens it.
   *
   * @param name of the subvolume, which nobody else uses
   */
  static OwnStapes open(LoopBtrfs btrfs, String name) throws IOException, InterruptedException {
    Path directory = btrfs.path(name);
    btrfs.create(directory);
    Path pool = Files.createDirectory(directory.resolve("pool"));
    PoolSpec spec = PoolSpec.of("default", "btrfs").source(pool.toString());
    Stapes stapes = Stapes.builder(directory.resolve("root")).defaultPool(spec).open();
    return new OwnStapes(stapes, btrfs, directory);
  }

  /** Deletes what is left. */
  @Override
  public void close() throws IOException, InterruptedException {
    try (stapes) {
      for (var info : stapes.instances().list()) {
        stapes.instances().get(info.id()).delete(Delete.FORCE);
      }
      stapes.pools().byDefault().delete();
    }
    btrfs.delete(directory);
    btrfs.settle();
  }
}
