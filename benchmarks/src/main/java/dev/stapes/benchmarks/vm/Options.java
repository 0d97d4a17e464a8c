package dev.stapes.benchmarks.vm;

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
 * @param peers where the versions of packages are
 * @param output where results go
 */
record Options(
    Optional<Path> json, int runs, List<VmPath> paths, Path work, Path peers, Path output) {
  static final int DEFAULT_RUNS = 12;

  private static final List<String> OPTIONS = List.of("--json", "--runs", "--paths");

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
            .map(labels -> labels.stream().map(VmPath::of).toList())
            .orElse(List.of(VmPath.values())),
        given.path("--work").orElse(Path.of("target", "vm.run")),
        given.path("--peers").orElse(Path.of("target", "peers")),
        given.path("--output").orElse(Path.of("target")));
  }
}
