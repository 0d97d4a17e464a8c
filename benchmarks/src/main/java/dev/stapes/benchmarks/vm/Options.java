package dev.stapes.benchmarks.vm;

import dev.stapes.benchmarks.Arguments;
import dev.stapes.benchmarks.RunOptions;
import java.util.List;

/**
 * What the command line says.
 *
 * @param run what every comparison is told
 * @param paths those wanted
 */
record Options(RunOptions run, List<VmPath> paths) {
  static final int DEFAULT_RUNS = 12;

  private static final List<String> OPTIONS = List.of("--json", "--runs", "--paths");

  /**
   * Reads it.
   *
   * @throws IllegalArgumentException quoting what is wrong
   */
  static Options parse(String... arguments) {
    Arguments given = Arguments.parse(OPTIONS, RunOptions.OF_SCRIPT, arguments);
    return new Options(RunOptions.of("vm", given, DEFAULT_RUNS), given.paths(VmPath.class));
  }
}
