package dev.stapes.benchmarks.qmp;

import dev.stapes.benchmarks.Markdown;
import dev.stapes.benchmarks.Row;
import dev.stapes.benchmarks.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * All that a run found out.
 *
 * @param facts machine, versions and the like, in order
 * @param rows round trips, the time of one
 * @param events storms of them
 * @param memory of connections; none where that failed
 * @param missing peers that could not be had, with the reason
 * @param failures what failed, with the reason
 */
record Results(
    Map<String, String> facts,
    List<Row> rows,
    List<Storm.Heard> events,
    List<Connections.Cost> memory,
    Map<String, String> missing,
    Map<String, String> failures) {
  static final String QUERY_STATUS = "query-status";
  static final String OWN = "stapes";
  static final String BARE = "bare-socket";
  static final String PYTHON = "qemu-python";

  private static final double MOST_OF_PYTHON = 0.5;
  private static final int LEAST_EVENTS_PER_SECOND = 20_000;
  private static final int MOST_HEAP_BYTES = 100_000;
  private static final int MOST_THREADS = 2;

  /** As Markdown. */
  String report() {
    Markdown text = new Markdown("QMP: Stapes and QEMU's own client", facts);
    text.medians("One round trip: median / p90 of the rounds in ms", rows);
    text.ratios("How many times faster `stapes` is, by medians", OWN, rows);
    Verdict.section(text, verdicts());
    text.title("Events");
    text.table(
        "told by",
        List.of("events", "lost", "a second"),
        events.stream()
            .map(
                each ->
                    List.of(
                        each.source(),
                        Integer.toString(each.events()),
                        Long.toString(each.lost()),
                        Markdown.number(each.perSecond())))
            .toList());
    text.list("Peers that are missing", missing);
    text.list("Failed", failures);
    return text.toString();
  }

  List<Verdict> verdicts() {
    List<Verdict> all = new ArrayList<>();
    all.add(Verdict.ratio(rows, QUERY_STATUS, OWN, PYTHON, MOST_OF_PYTHON));
    for (Storm.Heard each : events) {
      all.add(verdict(each));
    }
    String what = "heap for each connected machine";
    if (memory.isEmpty()) {
      all.add(Verdict.notMeasured(what));
    }
    for (Connections.Cost cost : memory) {
      all.add(
          Verdict.of(
              what + " of " + cost.machines(),
              cost.heapBytes() + " B",
              "<= " + MOST_HEAP_BYTES + " B",
              cost.heapBytes() <= MOST_HEAP_BYTES));
      all.add(
          Verdict.of(
              "threads for all of them",
              Integer.toString(cost.threads()),
              "<= " + MOST_THREADS,
              cost.threads() <= MOST_THREADS));
    }
    return all;
  }

  /** What QEMU tells is as fast as it takes the commands that bring it about. */
  private static Verdict verdict(Storm.Heard heard) {
    int least = heard.ofPeer() ? LEAST_EVENTS_PER_SECOND : 0;
    return Verdict.of(
        "events of " + heard.source(),
        Markdown.number(heard.perSecond()) + "/s, " + heard.lost() + " lost",
        (heard.ofPeer() ? ">= " + least + "/s, " : "") + "none lost",
        heard.lost() == 0 && heard.perSecond() >= least);
  }
}
