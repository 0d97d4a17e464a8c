package dev.stapes.benchmarks;

import java.util.Arrays;
import java.util.List;

/** What is measured, as an enum whose constants have names for tables and command lines. */
public interface Labelled {
  /** Its name in tables and results. */
  String label();

  /**
   * The path of a label.
   *
   * @throws IllegalArgumentException naming those that there are
   */
  static <E extends Enum<E> & Labelled> E of(Class<E> paths, String label) {
    return Arrays.stream(paths.getEnumConstants())
        .filter(path -> path.label().equals(label))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException("no path \"" + label + "\": one of " + labels(paths)));
  }

  /** All labels, in order. */
  static <E extends Enum<E> & Labelled> List<String> labels(Class<E> paths) {
    return Arrays.stream(paths.getEnumConstants()).map(Labelled::label).toList();
  }
}
