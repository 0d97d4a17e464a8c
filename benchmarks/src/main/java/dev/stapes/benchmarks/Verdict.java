package dev.stapes.benchmarks;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Whether something that was to be reached was.
 *
 * @param what in words
 * @param figure what was measured
 * @param bound what it had to be
 * @param verdict in words
 */
public record Verdict(String what, String figure, String bound, String verdict) {
  private static final String REACHED = "reached";

  /** Whether it was. */
  public boolean isReached() {
    return verdict.equals(REACHED);
  }

  /** One of a figure that is there. */
  public static Verdict of(String what, String figure, String bound, boolean reached) {
    return new Verdict(what, figure, bound, reached ? REACHED : "NOT REACHED");
  }

  /** One of a figure that is missing. */
  public static Verdict notMeasured(String what) {
    return new Verdict(what, "-", "-", "not measured");
  }

  /**
   * Compares the medians of two subjects on a path.
   *
   * @param most how many times the other's it may be
   */
  public static Verdict ratio(
      List<Row> rows, String path, String subject, String other, double most) {
    String what =
        String.format(Locale.ROOT, "%s: %s at most %.2f x %s", path, subject, most, other);
    Optional<Double> own = median(rows, path, subject);
    Optional<Double> theirs = median(rows, path, other);
    if (own.isEmpty() || theirs.isEmpty()) {
      return notMeasured(what);
    }
    double ratio = own.get() / theirs.get();
    return of(
        what,
        String.format(Locale.ROOT, "%.3f x", ratio),
        String.format(Locale.ROOT, "<= %.2f x", most),
        ratio <= most);
  }

  private static Optional<Double> median(List<Row> rows, String path, String subject) {
    return rows.stream()
        .filter(row -> row.path().equals(path) && row.subject().equals(subject))
        .map(Row::medianMs)
        .findFirst();
  }

  /** Writes a section with them. */
  public static void section(Markdown text, List<Verdict> verdicts) {
    text.title("To reach");
    text.table(
        "what",
        List.of("measured", "bound", "verdict"),
        verdicts.stream()
            .map(each -> List.of(each.what(), each.figure(), each.bound(), each.verdict()))
            .toList());
  }
}
