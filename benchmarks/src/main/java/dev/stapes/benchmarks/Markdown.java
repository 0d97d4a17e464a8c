package dev.stapes.benchmarks;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** A report in the making, as Markdown, which reads well on a terminal too. */
public final class Markdown {
  private final StringBuilder text = new StringBuilder();

  /** Begins with a title and what is known about the run. */
  public Markdown(String title, Map<String, String> facts) {
    text.append("# ").append(title).append("\n\n");
    facts.forEach((name, fact) -> text.append("- ").append(line(name, fact)));
    text.append('\n');
  }

  private static String line(String name, String fact) {
    return name + ": " + fact.strip().replace('\n', ' ') + "\n";
  }

  /** A number with about three digits. */
  public static String number(double value) {
    return String.format(Locale.ROOT, value < 10 ? "%.2f" : value < 100 ? "%.1f" : "%.0f", value);
  }

  /** A section of a table: paths by subjects, both in the order in which they first come. */
  public void medians(String title, List<Row> rows) {
    title(title);
    Set<String> subjects = subjects(rows);
    List<List<String>> table = new ArrayList<>();
    for (String path : paths(rows)) {
      List<String> cells = new ArrayList<>(List.of(path));
      for (String subject : subjects) {
        cells.add(
            row(rows, path, subject)
                .map(row -> number(row.medianMs()) + " / " + number(row.p90Ms()))
                .orElse("-"));
      }
      table.add(cells);
    }
    table("path", List.copyOf(subjects), table);
  }

  /**
   * A section that says how many times the median of a subject the others' are; none where there is
   * nobody to compare.
   *
   * @param subject whose name those of its variants begin with
   */
  public void ratios(String title, String subject, List<Row> rows) {
    List<String> others =
        subjects(rows).stream().filter(other -> !other.startsWith(subject)).toList();
    if (others.isEmpty() || !subjects(rows).contains(subject)) {
      return;
    }
    title(title);
    List<List<String>> table = new ArrayList<>();
    for (String path : paths(rows)) {
      Optional<Double> own = row(rows, path, subject).map(Row::medianMs);
      List<String> cells = new ArrayList<>(List.of(path));
      for (String other : others) {
        cells.add(
            own.flatMap(ms -> row(rows, path, other).map(theirs -> theirs.medianMs() / ms))
                .map(Markdown::number)
                .orElse("-"));
      }
      table.add(cells);
    }
    table("path", others, table);
  }

  private static Set<String> paths(List<Row> rows) {
    Set<String> paths = new LinkedHashSet<>();
    rows.forEach(row -> paths.add(row.path()));
    return paths;
  }

  private static Set<String> subjects(List<Row> rows) {
    Set<String> subjects = new LinkedHashSet<>();
    rows.forEach(row -> subjects.add(row.subject()));
    return subjects;
  }

  private static Optional<Row> row(List<Row> rows, String path, String subject) {
    return rows.stream()
        .filter(row -> row.path().equals(path) && row.subject().equals(subject))
        .findFirst();
  }

  /** A section that is a list; none where there is nothing in it. */
  public void list(String title, Map<String, String> entries) {
    if (entries.isEmpty()) {
      return;
    }
    title(title);
    entries.forEach((name, reason) -> text.append("- ").append(line(name, reason)));
    text.append('\n');
  }

  /** Begins a section. */
  public void title(String title) {
    text.append("## ").append(title).append("\n\n");
  }

  /** A table; all columns but the first one are of numbers. */
  public void table(String first, List<String> others, List<List<String>> rows) {
    List<List<String>> all = new ArrayList<>();
    List<String> head = new ArrayList<>(List.of(first));
    head.addAll(others);
    all.add(head);
    all.addAll(rows);
    int[] widths = new int[head.size()];
    for (List<String> row : all) {
      for (int i = 0; i < widths.length; i++) {
        widths[i] = Math.max(widths[i], row.get(i).length());
      }
    }
    row(head, widths);
    text.append('|');
    for (int i = 0; i < widths.length; i++) {
      text.append("-".repeat(widths[i] + 1)).append(i == 0 ? "-|" : ":|");
    }
    text.append('\n');
    rows.forEach(cells -> row(cells, widths));
    text.append('\n');
  }

  private void row(List<String> cells, int[] widths) {
    text.append('|');
    for (int i = 0; i < widths.length; i++) {
      String pad = " ".repeat(widths[i] - cells.get(i).length());
      text.append(' ').append(i == 0 ? cells.get(i) + pad : pad + cells.get(i)).append(" |");
    }
    text.append('\n');
  }

  /** All of it so far. */
  @Override
  public String toString() {
    return text.toString();
  }
}
