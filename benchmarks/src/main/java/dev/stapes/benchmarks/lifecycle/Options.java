package dev.stapes.benchmarks.lifecycle;

import dev.stapes.benchmarks.Arguments;
import dev.stapes.benchmarks.RunOptions;
import java.util.List;

/**
 * What the command line says.
 *
 * @param run what every comparison is told
 * @param subjects those wanted; empty: all
 * @param paths those wanted
 */
record Options(RunOptions run, List<String> subjects, List<LifecyclePath> paths) {
  static final int DEFAULT_RUNS = 30;

  private static final List<String> OPTIONS = List.of("--json", "--runs", "--subjects", "--paths");

  /**
   * Reads it.
   *
   * @throws IllegalArgumentException quoting what is wrong
   */
  static Options parse(String... arguments) {
    Arguments given = Arguments.parse(OPTIONS, RunOptions.OF_SCRIPT, arguments);
    return new Options(
        RunOptions.of("lifecycle", given, DEFAULT_RUNS),
        given.words("--subjects").orElse(List.of()),
        given.paths(LifecyclePath.class));
  }

  /** Whether a subject is wanted. */
  boolean wants(String subject) {
    return subjects.isEmpty() || subjects.contains(subject);
  }
}
