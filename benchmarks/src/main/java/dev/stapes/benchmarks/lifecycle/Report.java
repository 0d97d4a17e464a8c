package dev.stapes.benchmarks.lifecycle;

import dev.stapes.benchmarks.Markdown;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The results as Markdown, which reads well on a terminal too. */
final class Report {
  private final Results results;
  private final Markdown text;

  private Report(Results results) {
    this.results = results;
    this.text = new Markdown("Stapes and its peers", results.facts());
  }

  /** All of it. */
  static String of(Results results) {
    Report report = new Report(results);
    report.text.medians("Isolated runs: median / p90 in ms", results.rows());
    report.text.ratios("How many times faster `stapes` is, by medians", "stapes", results.rows());
    report.targets();
    report.backToBack();
    report.memory();
    report.text.list("Peers that are missing", results.missing());
    report.text.list("Failed", results.failures());
    report.text.list("Paths that a subject does not have", results.leftOut());
    return report.text.toString();
  }

  private void targets() {
    text.title("To reach");
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
    text.table("what", List.of("measured", "bound", "verdict"), table);
  }

  private void backToBack() {
    text.title("Full cycles without a pause");
    List<List<String>> table = new ArrayList<>();
    for (BackToBack.Serial serial : results.serial()) {
      List<String> cells = new ArrayList<>();
      cells.add(serial.subject());
      cells.add(Markdown.number(serial.medianMs()));
      cells.add(Markdown.number(serial.meanMs()));
      cells.add(Integer.toString(serial.n()));
      table.add(cells);
    }
    text.table("subject", List.of("median ms", "mean ms", "n"), table);
    if (results.throughput().isEmpty()) {
      return;
    }
    text.title("Full cycles per second from several threads");
    List<List<String>> rows = new ArrayList<>();
    results
        .throughput()
        .forEach(
            each ->
                rows.add(
                    List.of(
                        each.subject(),
                        Integer.toString(each.threads()),
                        Markdown.number(each.perSecond()),
                        Integer.toString(each.n()))));
    text.table("subject", List.of("threads", "cycles/s", "n"), rows);
  }

  private void memory() {
    if (results.memory().isEmpty()) {
      return;
    }
    text.title("Memory per running container: private dirty KiB");
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
                        Markdown.number(cost.descriptors()))));
    text.table(
        "subject", List.of("outside of it", "its own processes", "descriptors of the JVM"), table);
  }
}
