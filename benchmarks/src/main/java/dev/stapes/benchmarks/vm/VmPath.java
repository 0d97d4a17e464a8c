package dev.stapes.benchmarks.vm;

import java.util.Arrays;
import java.util.List;

/** What is measured. */
enum VmPath {
  /** From a machine that was created to the answer to its first command. */
  BOOT("boot");

  private final String label;

  VmPath(String label) {
    this.label = label;
  }

  /** Its name in tables and results. */
  String label() {
    return label;
  }

  /**
   * The path of a label.
   *
   * @throws IllegalArgumentException naming those that there are
   */
  static VmPath of(String label) {
    return Arrays.stream(values())
        .filter(path -> path.label.equals(label))
        .findFirst()
        .orElseThrow(
            () -> new IllegalArgumentException("no path \"" + label + "\": one of " + labels()));
  }

  private static List<String> labels() {
    return Arrays.stream(values()).map(VmPath::label).toList();
  }
}
