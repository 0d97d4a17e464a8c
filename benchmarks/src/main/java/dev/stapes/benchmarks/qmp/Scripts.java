package dev.stapes.benchmarks.qmp;

import java.nio.file.Path;

/** The programs in Python of this module, in whose directory the comparison runs. */
final class Scripts {
  private Scripts() {}

  static String of(String name) {
    return Path.of("src", "main", "python", name).toAbsolutePath().toString();
  }
}
