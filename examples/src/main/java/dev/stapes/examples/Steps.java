package dev.stapes.examples;

import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.util.Locale;

/** Prints steps with the time they took. */
final class Steps {
  private static final double NANOS_PER_MILLI = 1e6;

  private final PrintStream out;
  private final long began = System.nanoTime();

  Steps(PrintStream out) {
    this.out = out;
  }

  /** A step that gives something. */
  interface Step<T> {
    T run() throws IOException;
  }

  <T> T time(String what, Step<T> step) {
    long start = System.nanoTime();
    try {
      T result = step.run();
      String shown = result instanceof String text && !text.isEmpty() ? "  -> " + text.strip() : "";
      print(System.nanoTime() - start, what + shown);
      return result;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  void note(String text) {
    out.println("              " + text);
  }

  void total() {
    print(System.nanoTime() - began, "all of it; nothing is left");
  }

  private void print(long nanos, String text) {
    out.println(String.format(Locale.ROOT, "%9.1f ms  %s", nanos / NANOS_PER_MILLI, text));
  }
}
