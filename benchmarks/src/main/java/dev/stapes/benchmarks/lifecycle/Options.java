package dev.stapes.benchmarks.lifecycle;

import dev.stapes.benchmarks.Arguments;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What the command line says.
 *
 * @param json where else the results go
 * @param runs isolated runs per subject and path
 * @param subjects those wanted; empty: all
 * @param paths those wanted
 * @param work an empty directory of the run's own
 * @param peers where the peers' packages are
 * @param output where results go
 */
record Options(
    Optional<Path> json,
    int runs,
    List<String> subjects,
    List<LifecyclePath> paths,
    Path work,
    Path peers,
    Path output) {
  static final int DEFAULT_RUNS = 30;

  private static final List<String> OPTIONS = List.of("--json", "--runs", "--subjects", "--paths");

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
        given.words("--subjects").orElse(List.of()),
        given
            .words("--paths")
            .map(labels -> labels.stream().map(LifecyclePath::of).toList())
            .orElse(List.of(LifecyclePath.values())),
        given.path("--work").orElse(Path.of("target", "lifecycle.run")),
        given.path("--peers").orElse(Path.of("target", "peers")),
        given.path("--output").orElse(Path.of("target")));
  }

  /** Whether a subject is wanted. */
  boolean wants(String subject) {
    return subjects.isEmpty() || subjects.contains(subject);
  }
}
