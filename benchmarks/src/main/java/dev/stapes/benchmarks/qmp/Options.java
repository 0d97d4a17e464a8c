package dev.stapes.benchmarks.qmp;

import dev.stapes.benchmarks.Arguments;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What the command line says.
 *
 * @param json where else the results go
 * @param runs rounds of round trips
 * @param work an empty directory of the run's own
 * @param peers where what was fetched is: QEMU's Python client in {@code python}
 * @param output where results go
 */
record Options(Optional<Path> json, int runs, Path work, Path peers, Path output) {
  static final int DEFAULT_RUNS = 40;

  private static final List<String> OPTIONS = List.of("--json", "--runs");

  /**
   * Reads it.
   *
   * @throws IllegalArgumentException quoting what is wrong
   */
  static Options parse(String... arguments) {
    Arguments given = Arguments.parse(OPTIONS, List.of("--work", "--peers", "--output"), arguments);
    return new Options(
        given.path("--json"),
        given.count("--runs", DEFAULT_RUNS),
        given.path("--work").orElse(Path.of("target", "qmp.run")),
        given.path("--peers").orElse(Path.of("target", "peers")),
        given.path("--output").orElse(Path.of("target")));
  }
}
