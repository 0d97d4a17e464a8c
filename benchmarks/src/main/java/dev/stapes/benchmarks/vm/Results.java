package dev.stapes.benchmarks.vm;

import dev.stapes.benchmarks.Markdown;
import dev.stapes.benchmarks.Row;
import dev.stapes.benchmarks.Verdict;
import java.util.List;
import java.util.Map;

/**
 * All that a run found out.
 *
 * @param facts machine, versions and the like, in order
 * @param rows path by path
 * @param failures what failed, with the reason
 */
record Results(Map<String, String> facts, List<Row> rows, Map<String, String> failures) {
  static final String OWN = "stapes";
  static final String BARE = "by-hand";

  private static final Map<String, String> NOTES =
      Map.of(
          VmPath.SAVED.label(),
          "`"
              + BARE
              + "` boots, as on the other path: it has no saved memory to go on from. The figure"
              + " says how much sooner a saved machine answers than one that boots.");

  private static final double MOST_OF_BARE = 1.3;
  private static final double MOST_OF_A_BOOT = 0.2;

  /** As Markdown. */
  String report() {
    Markdown text = new Markdown("Virtual machines: Stapes and the bare command", facts);
    text.medians("Median / p90 in ms", rows);
    text.ratios("How many times faster `stapes` is, by medians", OWN, rows);
    Verdict.section(
        text,
        List.of(
            Verdict.ratio(rows, VmPath.BOOT.label(), OWN, BARE, MOST_OF_BARE),
            Verdict.ratio(rows, VmPath.SAVED.label(), OWN, BARE, MOST_OF_A_BOOT)));
    if (rows.stream().anyMatch(row -> row.path().equals(VmPath.SAVED.label()))) {
      text.list("How to read it", NOTES);
    }
    text.list("Failed", failures);
    return text.toString();
  }
}
