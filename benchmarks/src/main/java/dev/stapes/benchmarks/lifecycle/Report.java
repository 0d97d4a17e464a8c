package dev.stapes.benchmarks.lifecycle;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The results as Markdown, which reads well on a terminal too. */
final class Report {
  private static final String SUBJECT = "stapes";

  private final Results results;
  private final StringBuilder text = new StringBuilder();

  private Report(Results results) {
    this.results = results;
  }

  /** All of it. */
  static String of(Results results) {
    Report report = new Report(results);
    report.facts();
    report.isolated();
    report.ratios();
    report.targets();
    report.backToBack();
    report.memory();
    report.list("Peers that are missing", results.missing());
    report.list("Failed", results.failures());
    report.list("Paths that a subject does not have", results.leftOut());
    return report.text.toString();
  }

  private void facts() {
    text.append("# Stapes and its peers\n\n");
    results.facts().forEach((name, fact) -> text.append("- ").append(line(name, fact)));
    text.append('\n');
  }

  private static String line(String name, String fact) {
    return name + ": " + fact.strip().replace('\n', ' ') + "\n";
  }

  private void isolated() {
    text.append("## Isolated runs: median / p90 in ms\n\n");
    List<List<String>> table = new ArrayList<>();
    for (LifecyclePath path : measured()) {
      List<String> cells = new ArrayList<>(List.of(path.label()));
      for (String subject : subjects()) {
        cells.add(results.row(path, subject).map(Report::cell).orElse("-"));
      }
      table.add(cells);
    }
    table("path", List.copyOf(subjects()), table);
  }

  private static String cell(Row row) {
    return number(row.medianMs()) + " / " + number(row.p90Ms());
  }

  private static String number(double ms) {
    return String.format(Locale.ROOT, ms < 10 ? "%.2f" : ms < 100 ? "%.1f" : "%.0f", ms);
  }

  private void ratios() {
    List<String> others =
        subjects().stream().filter(subject -> !subject.startsWith(SUBJECT)).toList();
    if (others.isEmpty() || !subjects().contains(SUBJECT)) {
      return;
    }
    text.append("## How many times faster `stapes` is, by medians\n\n");
    List<List<String>> table = new ArrayList<>();
    for (LifecyclePath path : measured()) {
      Optional<Double> own = results.median(path, SUBJECT);
      List<String> cells = new ArrayList<>(List.of(path.label()));
      for (String other : others) {
        cells.add(
            own.flatMap(ms -> results.median(path, other).map(theirs -> theirs / ms))
                .map(Report::number)
                .orElse("-"));
      }
      table.add(cells);
    }
    table("path", others, table);
  }

  private void targets() {
    text.append("## To reach\n\n");
    List<List<String>> table = new ArrayList<>();
    for (Target target : Target.all()) {
      Optional<Target.Verdict> verdict = target.measured().apply(results);
      table.add(
          verdict
              .map(
                  how ->
                      List.of(
                          target.what(),
                          how.figure(),
                          how.bound(),
                          how.reached() ? "reached" : "NOT REACHED"))
              .orElse(List.of(target.what(), "-", "-", "not measured")));
    }
    table("what", List.of("measured", "bound", "verdict"), table);
  }

  private void backToBack() {
    text.append("## Full cycles without a pause\n\n");
    List<List<String>> table = new ArrayList<>();
    for (BackToBack.Serial serial : results.serial()) {
      List<String> cells = new ArrayList<>();
      cells.add(serial.subject());
      cells.add(number(serial.medianMs()));
      cells.add(number(serial.meanMs()));
      cells.add(Integer.toString(serial.n()));
      table.add(cells);
    }
    table("subject", List.of("median ms", "mean ms", "n"), table);
    if (results.throughput().isEmpty()) {
      return;
    }
    text.append("## Full cycles per second from several threads\n\n");
    List<List<String>> rows = new ArrayList<>();
    results
        .throughput()
        .forEach(
            each ->
                rows.add(
                    List.of(
                        each.subject(),
                        Integer.toString(each.threads()),
                        number(each.perSecond()),
                        Integer.toString(each.n()))));
    table("subject", List.of("threads", "cycles/s", "n"), rows);
  }

  private void memory() {
    if (results.memory().isEmpty()) {
      return;
    }
    text.append("## Memory per running container: private dirty KiB\n\n");
    List<List<String>> table = new ArrayList<>();
    results
        .memory()
        .forEach(
            cost ->
                table.add(
                    List.of(
                        cost.subject(),
                        Long.toString(cost.outsideKib()),
                        Long.toString(cost.insideKib()),
                        number(cost.descriptors()))));
    table(
        "subject", List.of("outside of it", "its own processes", "descriptors of the JVM"), table);
  }

  private void list(String title, Map<String, String> entries) {
    if (entries.isEmpty()) {
      return;
    }
    text.append("## ").append(title).append("\n\n");
    entries.forEach((name, reason) -> text.append("- ").append(line(name, reason)));
    text.append('\n');
  }

  private List<LifecyclePath> measured() {
    return List.of(LifecyclePath.values()).stream()
        .filter(path -> results.rows().stream().anyMatch(row -> row.path().equals(path.label())))
        .toList();
  }

  private Set<String> subjects() {
    Set<String> subjects = new LinkedHashSet<>();
    results.rows().forEach(row -> subjects.add(row.subject()));
    return subjects;
  }

  private void table(String first, List<String> others, List<List<String>> rows) {
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
}
