package dev.stapes.benchmarks.unpack;

import dev.stapes.benchmarks.Markdown;
import dev.stapes.benchmarks.Row;
import java.util.List;
import java.util.Map;

/**
 * All that a run found out.
 *
 * @param facts machine, versions and the like, in order
 * @param rows path by path
 * @param missing peers that could not be had, with the reason
 * @param failures what failed, with the reason
 */
record Results(
    Map<String, String> facts,
    List<Row> rows,
    Map<String, String> missing,
    Map<String, String> failures) {
  /** As Markdown. */
  String report() {
    Markdown text = new Markdown("Unpacking images: Stapes and its peers", facts);
    text.medians("Median / p90 in ms", rows);
    text.ratios("How many times faster `stapes` is, by medians", "stapes", rows);
    text.list("Peers that are missing", missing);
    text.list("Failed", failures);
    return text.toString();
  }
}
