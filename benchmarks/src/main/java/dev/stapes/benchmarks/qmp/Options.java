package dev.stapes.benchmarks.qmp;

import dev.stapes.benchmarks.Arguments;
import dev.stapes.benchmarks.RunOptions;
import java.util.List;

/**
 * What the command line says.
 *
 * @param run what every comparison is told: as runs, rounds of round trips; QEMU's Python client is
 *     in {@code python} of the peers
 */
record Options(RunOptions run) {
  static final int DEFAULT_RUNS = 40;

  private static final List<String> OPTIONS = List.of("--json", "--runs");

  /**
   * Reads it.
   *
   * @throws IllegalArgumentException quoting what is wrong
   */
  static Options parse(String... arguments) {
    Arguments given = Arguments.parse(OPTIONS, RunOptions.OF_SCRIPT, arguments);
    return new Options(RunOptions.of("qmp", given, DEFAULT_RUNS));
  }
}
