package dev.stapes.benchmarks.lifecycle;

import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
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

  /**
   * Reads it.
   *
   * @throws IllegalArgumentException quoting what is wrong
   */
  static Options parse(String... arguments) {
    Deque<String> left = new ArrayDeque<>(List.of(arguments));
    Optional<Path> json = Optional.empty();
    int runs = DEFAULT_RUNS;
    List<String> subjects = List.of();
    List<LifecyclePath> paths = List.of(LifecyclePath.values());
    Path work = Path.of("target", "lifecycle.run");
    Path peers = Path.of("target", "peers");
    Path output = Path.of("target");
    while (!left.isEmpty()) {
      String option = left.pop();
      String value = left.poll();
      if (value == null) {
        throw new IllegalArgumentException(option + " needs a value");
      }
      switch (option) {
        case "--json" -> json = Optional.of(Path.of(value));
        case "--runs" -> runs = runs(value);
        case "--subjects" -> subjects = words(value);
        case "--paths" -> paths = words(value).stream().map(LifecyclePath::of).toList();
        case "--work" -> work = Path.of(value);
        case "--peers" -> peers = Path.of(value);
        case "--output" -> output = Path.of(value);
        default ->
            throw new IllegalArgumentException(
                "unknown option \"" + option + "\": --json, --runs, --subjects, --paths");
      }
    }
    return new Options(json, runs, subjects, paths, work, peers, output);
  }

  private static int runs(String value) {
    int runs = Integer.parseInt(value);
    if (runs < 1) {
      throw new IllegalArgumentException("--runs must be at least 1: " + value);
    }
    return runs;
  }

  private static List<String> words(String value) {
    return Arrays.stream(value.split(",", -1)).map(String::strip).toList();
  }

  /** Whether a subject is wanted. */
  boolean wants(String subject) {
    return subjects.isEmpty() || subjects.contains(subject);
  }
}
