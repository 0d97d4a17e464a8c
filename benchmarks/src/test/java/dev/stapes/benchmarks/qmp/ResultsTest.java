package dev.stapes.benchmarks.qmp;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.benchmarks.Row;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ResultsTest {
  private static Results results(long lost, double perSecond, long heap, int threads) {
    return new Results(
        Map.of("Machine", "a machine"),
        List.of(
            new Row(Results.QUERY_STATUS, Results.OWN, 0.05, 0.06, 40),
            new Row(Results.QUERY_STATUS, Results.PYTHON, 0.2, 0.3, 40)),
        List.of(new Storm.Heard("a peer", true, 1000, lost, perSecond)),
        List.of(new Connections.Cost(50, heap, threads)),
        Map.of(),
        Map.of());
  }

  @Test
  void a_report_says_what_was_reached() {
    String report = results(0, 22_000, 9_000, 2).report();
    for (String part :
        List.of(
            "| query-status | 0.05 / 0.06 | 0.20 / 0.30 |\n",
            "query-status: stapes at most 0.50 x qemu-python",
            "22000/s, 0 lost",
            "9000 B",
            "| a peer  |   1000 |    0 |    22000 |\n")) {
      assertTrue(report.contains(part), part + " is not in " + report);
    }
    assertFalse(report.contains("NOT REACHED"), report);
  }

  @Test
  void lost_events_too_few_of_them_memory_and_threads_are_seen() {
    for (Results bad :
        List.of(
            results(1, 22_000, 9_000, 2),
            results(0, 19_000, 9_000, 2),
            results(0, 22_000, 100_001, 2),
            results(0, 22_000, 9_000, 3))) {
      assertTrue(bad.report().contains("NOT REACHED"), bad.report());
    }
  }

  @Test
  void what_qemu_tells_need_only_be_complete() {
    Results results =
        new Results(
            Map.of(),
            List.of(),
            List.of(new Storm.Heard("QEMU", false, 1000, 0, 5_000)),
            List.of(),
            Map.of(),
            Map.of());
    assertFalse(results.report().contains("NOT REACHED"), results.report());
  }

  @Test
  void what_could_not_be_had_is_not_measured() {
    String report =
        new Results(
                Map.of(),
                List.of(new Row(Results.QUERY_STATUS, Results.OWN, 0.05, 0.06, 40)),
                List.of(),
                List.of(),
                Map.of(Results.PYTHON, "no source package"),
                Map.of("memory", "no processes"))
            .report();
    assertTrue(report.contains("not measured"), report);
    assertTrue(report.contains("- qemu-python: no source package\n"), report);
    assertTrue(report.contains("- memory: no processes\n"), report);
  }
}
