package dev.stapes.internal.template;

import dev.stapes.model.StapesException;

/** Counts what one rendering does. */
final class Meter {
  /** The name under which functions find it; no template can name it. */
  static final String NAME = "meter";

  private static final long STEPS = 1_000_000;

  private final int mostWritten;
  private long steps;
  private long written;

  Meter(int mostWritten) {
    this.mostWritten = mostWritten;
  }

  /** Some steps are made. */
  void step(int line, long count) {
    steps += count;
    if (steps > STEPS) {
      throw new StapesException(
          StapesException.Kind.EXHAUSTED,
          "line " + line,
          "takes more than the allowed " + STEPS + " steps");
    }
  }

  /** A text is about to be made. */
  void text(int line, long length) {
    if (length > mostWritten) {
      throw tooLong(line);
    }
    step(line, length >> 6);
  }

  /** A text is about to be written. */
  void write(int line, long length) {
    written += length;
    if (written > mostWritten) {
      throw tooLong(line);
    }
  }

  private StapesException tooLong(int line) {
    return new StapesException(
        StapesException.Kind.EXHAUSTED,
        "line " + line,
        "gives more than the allowed " + mostWritten + " characters");
  }
}
