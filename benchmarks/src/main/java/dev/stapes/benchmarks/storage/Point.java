package dev.stapes.benchmarks.storage;

import java.util.List;

/**
 * A path with its number.
 *
 * @param path what is measured
 * @param at how many snapshots or threads; 0 where the path is no series
 */
record Point(StoragePath path, int at) {
  /** Those of a path. */
  static List<Point> of(StoragePath path, Scale scale) {
    return switch (path) {
      case SNAPSHOT -> scale.existing().stream().map(n -> new Point(path, n)).toList();
      case CLONES -> scale.threads().stream().map(n -> new Point(path, n)).toList();
      case DELETE_SNAPSHOTS -> List.of(new Point(path, scale.many()));
      default -> List.of(new Point(path, 0));
    };
  }

  /** Its name in tables and results. */
  String label() {
    return at == 0 ? path.label() : path.label() + "-" + at;
  }
}
