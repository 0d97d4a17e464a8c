package dev.stapes.benchmarks.storage;

import dev.stapes.benchmarks.Markdown;
import dev.stapes.benchmarks.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** The results as one page that needs nothing else: no script, no font, no picture from afar. */
final class Report {
  private static final String STYLE =
      """
      :root{--text:#1b1f24;--dim:#5b636d;--line:#d5dae0;--back:#fff;--best:#e8f3e8}
      @media (prefers-color-scheme:dark){
      :root{--text:#e4e7eb;--dim:#9aa4af;--line:#3a424b;--back:#15191e;--best:#1f3323}}
      body{font:15px/1.45 system-ui,sans-serif;color:var(--text);background:var(--back);
      max-width:60rem;margin:2rem auto;padding:0 1rem}
      h1{font-size:1.6rem}h2{font-size:1.25rem;margin-top:2.2rem}
      h3{font-size:1rem;margin:1.6rem 0 .4rem}
      table{border-collapse:collapse;font-variant-numeric:tabular-nums}
      .wide{overflow-x:auto}
      th,td{padding:.2rem .7rem;border-bottom:1px solid var(--line);text-align:right;
      white-space:nowrap}
      th:first-child,td:first-child{text-align:left}
      .facts td{white-space:normal;text-align:left;vertical-align:top}
      .facts td:first-child{white-space:nowrap;color:var(--dim)}
      .spread,td small{color:var(--dim)}td.best{background:var(--best);font-weight:600}
      td.not{color:#c0392b}
      .note{color:var(--dim)}.warn{border-left:4px solid #cc6600;padding:.4rem .8rem}
      svg{max-width:100%;height:auto;font:13px system-ui,sans-serif}
      svg text{fill:var(--text)}svg .tick{fill:var(--dim);font-size:12px}
      svg .grid{stroke:var(--line)}svg .spread{stroke:var(--text);stroke-width:1.5}
      .legend span{display:inline-block;margin-right:1.2rem}
      .legend i{display:inline-block;width:.8rem;height:.8rem;margin-right:.4rem}
      """;

  private final Results results;
  private final Markup page = new Markup();

  private Report(Results results) {
    this.results = results;
  }

  /** As HTML that is XML, too. */
  static String of(Results results) {
    return "<!DOCTYPE html>\n" + new Report(results).write();
  }

  private String write() {
    page.open("html", "lang", "en").open("head");
    page.leaf("meta", "charset", "utf-8");
    page.leaf("meta", "name", "viewport", "content", "width=device-width, initial-scale=1");
    page.element("title", "Storage pools compared");
    page.element("style", STYLE + Palette.style());
    page.close().open("body");
    page.element("h1", "Storage pools compared");
    if (results.interrupted()) {
      page.element("p", Results.CUT_SHORT, "class", "warn");
    }
    facts();
    overview();
    verdicts();
    plots();
    list("Not available", results.notAvailable());
    list("Failed", results.failures());
    return page.close().close().toString();
  }

  private void facts() {
    page.open("table", "class", "facts");
    results
        .facts()
        .forEach(
            (name, fact) ->
                page.open("tr").element("td", name).element("td", fact.strip()).close());
    page.close();
  }

  private void overview() {
    page.element("h2", "Medians");
    page.element(
        "p",
        "In brackets: a tenth of the runs is at or below the first number, a tenth above the"
            + " second. Green: the best of the line. Of times less is better, of rates more."
            + " n/a: the pool cannot do it.",
        "class",
        "note");
    page.open("div", "class", "wide").open("table").open("tr").element("th", "");
    results.subjects().forEach(subject -> page.element("th", subject));
    page.close();
    for (Point point : results.points()) {
      page.open("tr").element("td", point.label() + ", " + point.path().unit().symbol());
      for (String subject : results.subjects()) {
        cell(point, subject);
      }
      page.close();
    }
    page.close().close();
  }

  private void cell(Point point, String subject) {
    Optional<Measurement> found = results.find(point, subject);
    if (found.isEmpty()) {
      page.element("td", results.absence(point, subject));
      return;
    }
    Measurement each = found.get();
    page.open("td", "class", isBest(point, each) ? "best" : "plain");
    page.text(Markdown.number(each.median()) + " ");
    page.element(
        "small", "(" + Markdown.number(each.low()) + "–" + Markdown.number(each.high()) + ")");
    page.close();
  }

  private boolean isBest(Point point, Measurement own) {
    boolean more = point.path().unit().moreIsBetter();
    return results.subjects().stream()
        .flatMap(subject -> results.find(point, subject).stream())
        .allMatch(each -> more ? each.median() <= own.median() : each.median() >= own.median());
  }

  private void verdicts() {
    List<Verdict> verdicts = results.verdicts();
    if (verdicts.isEmpty()) {
      return;
    }
    page.element("h2", "To reach");
    page.open("div", "class", "wide").open("table").open("tr");
    List.of("", "measured", "bound", "verdict").forEach(head -> page.element("th", head));
    page.close();
    for (Verdict each : verdicts) {
      page.open("tr");
      List.of(each.what(), each.figure(), each.bound(), each.verdict())
          .forEach(text -> page.element("td", text, "class", each.isReached() ? "plain" : "not"));
      page.close();
    }
    page.close().close();
  }

  private void plots() {
    page.element("h2", "Plots");
    page.element(
        "p",
        "Bars and dots are medians; the thin line goes from the tenth below to the tenth above.",
        "class",
        "note");
    for (StoragePath path : StoragePath.values()) {
      List<Measurement> all =
          results.measurements().stream().filter(each -> each.path().equals(path.label())).toList();
      if (!all.isEmpty()) {
        plot(path, all);
      }
    }
  }

  private void plot(StoragePath path, List<Measurement> all) {
    String better = path.unit().moreIsBetter() ? "more is better" : "less is better";
    String title = String.format(Locale.ROOT, "%s (%s)", path.title(), path.unit().symbol());
    page.open("h3").text(title + " ").element("small", better, "class", "note").close();
    if (path.isSeries()) {
      legend(all);
      String across = path == StoragePath.SNAPSHOT ? "snapshots there already" : "threads";
      page.add(LineChart.of(title, across, results.subjects(), all));
    } else {
      List<Measurement> inOrder = new ArrayList<>();
      for (String subject : results.subjects()) {
        all.stream().filter(each -> each.subject().equals(subject)).forEach(inOrder::add);
      }
      page.add(BarChart.of(title, path.unit().symbol(), results.subjects(), inOrder));
    }
  }

  private void legend(List<Measurement> all) {
    page.open("p", "class", "legend");
    for (int i = 0; i < results.subjects().size(); i++) {
      String subject = results.subjects().get(i);
      if (all.stream().anyMatch(each -> each.subject().equals(subject))) {
        page.open("span").element("i", "", "class", Palette.fill(i)).text(subject).close();
      }
    }
    page.close();
  }

  private void list(String title, Map<String, String> entries) {
    if (entries.isEmpty()) {
      return;
    }
    page.element("h2", title);
    page.open("ul");
    entries.forEach((name, reason) -> page.element("li", name + ": " + reason.strip()));
    page.close();
  }
}
