package dev.stapes.benchmarks.storage;

/** In what a path is measured. */
enum Unit {
  /** The time of one. */
  MILLISECONDS("ms", false),
  /** Data, in millions of bytes. */
  MEGABYTES_PER_SECOND("MB/s", true),
  /** Reads or writes. */
  OPERATIONS_PER_SECOND("IOPS", true),
  /** Clones made by all threads together. */
  CLONES_PER_SECOND("clones/s", true);

  private final String symbol;
  private final boolean moreIsBetter;

  Unit(String symbol, boolean moreIsBetter) {
    this.symbol = symbol;
    this.moreIsBetter = moreIsBetter;
  }

  /** As it stands behind a number. */
  String symbol() {
    return symbol;
  }

  boolean moreIsBetter() {
    return moreIsBetter;
  }

  /**
   * The figure of a run.
   *
   * @param work bytes, operations or clones; does not matter for {@link #MILLISECONDS}
   */
  double of(long nanos, long work) {
    double seconds = Math.max(nanos, 1) / 1e9;
    return switch (this) {
      case MILLISECONDS -> seconds * 1e3;
      case MEGABYTES_PER_SECOND -> work / 1e6 / seconds;
      case OPERATIONS_PER_SECOND, CLONES_PER_SECOND -> work / seconds;
    };
  }
}
