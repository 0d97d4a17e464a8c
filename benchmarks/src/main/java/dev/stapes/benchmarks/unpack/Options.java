package dev.stapes.benchmarks.unpack;

import dev.stapes.benchmarks.Arguments;
import dev.stapes.benchmarks.RunOptions;
import java.nio.file.Path;
import java.util.List;

/**
 * What the command line says.
 *
 * @param run what every comparison is told; below {@code unpack/inputs} of its output is what is
 *     unpacked
 * @param paths those wanted
 */
record Options(RunOptions run, List<UnpackPath> paths) {
  static final int DEFAULT_RUNS = 9;

  /** For people; the heap is the script's to see to. */
  private static final List<String> OPTIONS = List.of("--json", "--runs", "--paths", "--heap");

  /**
   * Reads it.
   *
   * @throws IllegalArgumentException quoting what is wrong
   */
  static Options parse(String... arguments) {
    Arguments given = Arguments.parse(OPTIONS, RunOptions.OF_SCRIPT, arguments);
    return new Options(RunOptions.of("unpack", given, DEFAULT_RUNS), given.paths(UnpackPath.class));
  }

  /** Where what is unpacked is kept. */
  Path inputs() {
    return run.output().resolve("unpack").resolve("inputs");
  }
}
