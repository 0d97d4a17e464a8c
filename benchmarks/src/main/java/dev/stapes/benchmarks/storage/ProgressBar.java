package dev.stapes.benchmarks.storage;

import dev.stapes.benchmarks.Isolated;
import java.io.PrintStream;
import java.util.Locale;
import java.util.function.LongSupplier;

/** Tells how far a run is: on a terminal by a bar that is drawn over and over, else by lines. */
final class ProgressBar implements Isolated.Watcher {
  private static final int WIDTH = 30;
  private static final String START_OF_LINE = "\r\u001b[K";

  private final PrintStream out;
  private final boolean bar;
  private final int points;
  private final LongSupplier nanos;
  private final long begun;
  private int done;
  private String now = "";

  /**
   * Has drawn nothing.
   *
   * @param points how many there will be
   * @param nanos a clock
   */
  ProgressBar(PrintStream out, boolean bar, int points, LongSupplier nanos) {
    this.out = out;
    this.bar = bar;
    this.points = points;
    this.nanos = nanos;
    this.begun = nanos.getAsLong();
  }

  /** Something else than a path goes on. */
  void note(String what) {
    if (bar) {
      draw(what, 0);
    } else {
      out.println(what + " ...");
    }
  }

  @Override
  public void begins(String path) {
    done++;
    now = path;
    if (bar) {
      draw(path, 0);
    } else {
      out.println(String.format(Locale.ROOT, "%d/%d %s ...", done, points, path));
    }
  }

  @Override
  public void round(String path, int round, int rounds) {
    if (bar) {
      draw(path + ", round " + round + " of " + rounds, (double) round / rounds);
    }
  }

  private void draw(String what, double part) {
    double all = Math.min(1, Math.max(0, done - 1 + part) / Math.max(points, 1));
    int full = (int) (all * WIDTH);
    long seconds = (nanos.getAsLong() - begun) / 1_000_000_000;
    out.print(
        String.format(
            Locale.ROOT,
            "%s[%s%s] %3d %%  %d:%02d  %s",
            START_OF_LINE,
            "#".repeat(full),
            "-".repeat(WIDTH - full),
            (int) (all * 100),
            seconds / 60,
            seconds % 60,
            what));
    out.flush();
  }

  @Override
  public void failed(String what, Exception reason) {
    line("  " + what + " FAILED: " + reason);
  }

  /** A line that stays. */
  void line(String text) {
    if (bar) {
      out.println(START_OF_LINE + text);
      draw(now, 0);
    } else {
      out.println(text);
    }
  }

  /** The bar goes. */
  void end() {
    if (bar) {
      out.print(START_OF_LINE);
      out.flush();
    }
  }
}
