package dev.stapes.benchmarks.storage;

import java.time.Duration;
import java.util.List;

/**
 * How much there is of everything.
 *
 * @param name for the command line and the report
 * @param warmUps on short paths, for what runs within this JVM is to be compiled
 * @param files of the volume that is cloned, sent and the like
 * @param bytes of all of them
 * @param largeBytes of the file that the first write to a clone goes to
 * @param existing how many snapshots there are when another one is made, ascending
 * @param many snapshots that are deleted together
 * @param patience how long a pool may take to make that many
 * @param threads that clone at once
 * @param clones that a run makes, with whatever number of threads
 * @param ioBytes of the file that a container writes and reads
 * @param ioOperations random ones in a run
 */
record Scale(
    String name,
    int warmUps,
    int files,
    int bytes,
    int largeBytes,
    List<Integer> existing,
    int many,
    Duration patience,
    List<Integer> threads,
    int clones,
    long ioBytes,
    int ioOperations) {
  private static final int MIB = 1 << 20;
  private static final int WARM_UPS = 10;

  static final Scale FULL =
      new Scale(
          "full",
          WARM_UPS,
          2_000,
          64 * MIB,
          64 * MIB,
          List.of(1, 100, 10_000),
          1_000,
          Duration.ofMinutes(5),
          List.of(1, 2, 4, 8, 16, 32, 64),
          100,
          512 * MIB,
          20_000);

  static final Scale QUICK =
      new Scale(
          "quick",
          WARM_UPS,
          200,
          4 * MIB,
          8 * MIB,
          List.of(1, 100, 1_000),
          100,
          Duration.ofSeconds(30),
          List.of(1, 64),
          100,
          128 * MIB,
          4_000);

  /** Of the volumes that many snapshots or clones are made of. */
  static final int SMALL_FILES = 10;

  static final int SMALL_BYTES = 64 << 10;

  /** Copies. */
  Scale {
    existing = List.copyOf(existing);
    threads = List.copyOf(threads);
  }

  /**
   * The one of a name.
   *
   * @throws IllegalArgumentException naming those that there are
   */
  static Scale of(String name) {
    return switch (name) {
      case "full" -> FULL;
      case "quick" -> QUICK;
      default ->
          throw new IllegalArgumentException("--mode must be quick or full: \"" + name + "\"");
    };
  }
}
