package dev.stapes.benchmarks.unpack;

import dev.stapes.benchmarks.Arguments;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What the command line says.
 *
 * @param json where else the results go
 * @param runs of each subject on each path
 * @param paths those wanted
 * @param work an empty directory of the run's own
 * @param peers where the peers' packages are
 * @param output where results go, and below {@code unpack/inputs} what is unpacked
 */
record Options(
    Optional<Path> json, int runs, List<UnpackPath> paths, Path work, Path peers, Path output) {
  static final int DEFAULT_RUNS = 9;

  /** For people; the heap is the script's to see to. */
  private static final List<String> OPTIONS = List.of("--json", "--runs", "--paths", "--heap");

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
        given
            .words("--paths")
            .map(labels -> labels.stream().map(UnpackPath::of).toList())
            .orElse(List.of(UnpackPath.values())),
        given.path("--work").orElse(Path.of("target", "unpack.run")),
        given.path("--peers").orElse(Path.of("target", "peers")),
        given.path("--output").orElse(Path.of("target")));
  }

  /** Where what is unpacked is kept. */
  Path inputs() {
    return output.resolve("unpack").resolve("inputs");
  }
}
