package dev.stapes.benchmarks.storage;

import dev.stapes.benchmarks.Arguments;
import dev.stapes.benchmarks.RunOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What the command line says.
 *
 * @param run what every comparison is told
 * @param html where else the report goes
 * @param pools those that take part
 * @param paths those wanted, in the order of {@link StoragePath}
 * @param scale how much of everything
 * @param seed of all content and of random I/O
 * @param bar whether progress is a bar that is drawn over and over
 */
record Options(
    RunOptions run,
    Optional<Path> html,
    List<PoolChoice> pools,
    List<StoragePath> paths,
    Scale scale,
    long seed,
    boolean bar) {
  static final int DEFAULT_RUNS = 9;
  static final long DEFAULT_SEED = 20_231;

  private static final List<String> OPTIONS =
      List.of("--pools", "--paths", "--mode", "--runs", "--seed", "--json", "--html");

  private static final List<String> OF_SCRIPT =
      Stream.concat(RunOptions.OF_SCRIPT.stream(), Stream.of("--bar")).toList();

  /**
   * Reads it.
   *
   * @throws IllegalArgumentException quoting what is wrong
   */
  static Options parse(String... arguments) {
    Arguments given = Arguments.parse(OPTIONS, OF_SCRIPT, arguments);
    return new Options(
        RunOptions.of("storage", given, DEFAULT_RUNS),
        given.path("--html"),
        PoolChoice.parse(given.words("--pools").orElse(PoolChoice.USUAL)),
        given.paths(StoragePath.class).stream().distinct().sorted().toList(),
        given.word("--mode").map(Scale::of).orElse(Scale.FULL),
        given.number("--seed", DEFAULT_SEED),
        given.word("--bar").filter("yes"::equals).isPresent());
  }
}
