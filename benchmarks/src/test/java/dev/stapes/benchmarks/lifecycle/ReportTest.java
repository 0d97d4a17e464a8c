package dev.stapes.benchmarks.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.benchmarks.Row;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ReportTest {
  private static Results results(Row... rows) {
    return new Results(
        Map.of("Machine", "a machine\n"),
        List.of(rows),
        List.of(new BackToBack.Serial("stapes", 11, 12.5, 30)),
        List.of(
            new BackToBack.Throughput("stapes", 1, 80, 240),
            new BackToBack.Throughput("stapes", 4, 130, 390)),
        List.of(new Memory.Cost("stapes", 380, 220, 3)),
        Map.of("podman", "no package\nanywhere"),
        Map.of("runc on clone", "keeps no root file systems"),
        Map.of());
  }

  private static Row row(LifecyclePath path, String subject, double median) {
    return new Row(path.label(), subject, median, median * 2, 30);
  }

  private static String line(String report, String start) {
    return report.lines().filter(line -> line.startsWith(start)).findFirst().orElseThrow();
  }

  @Test
  void medians_and_p90s_are_one_table_of_paths_and_subjects() {
    String report =
        Report.of(
            results(
                row(LifecyclePath.CYCLE, "stapes", 10),
                row(LifecyclePath.CYCLE, "incus-rest", 300),
                row(LifecyclePath.EXEC, "stapes", 0.8)));
    assertEquals("| path  |      stapes | incus-rest |", line(report, "| path "));
    assertEquals("|-------|------------:|-----------:|", line(report, "|---"));
    assertEquals("| cycle | 10.0 / 20.0 |  300 / 600 |", line(report, "| cycle "));
    assertEquals("| exec  | 0.80 / 1.60 |          - |", line(report, "| exec "));
  }

  @Test
  void a_ratio_says_how_many_times_faster_it_is() {
    String report =
        Report.of(
            results(
                row(LifecyclePath.CYCLE, "stapes", 10),
                row(LifecyclePath.CYCLE, "incus-rest", 300)));
    String ratios = report.substring(report.indexOf("## How many times"));
    assertEquals("| cycle |       30.0 |", line(ratios, "| cycle "));
  }

  @Test
  void what_is_missing_is_said_with_its_reason() {
    String report = Report.of(results(row(LifecyclePath.CYCLE, "stapes", 10)));
    assertTrue(report.contains("- podman: no package anywhere\n"), report);
    assertTrue(report.contains("- runc on clone: keeps no root file systems\n"), report);
  }

  @Test
  void targets_are_reached_or_not_or_not_measured() {
    String report =
        Report.of(
            results(
                row(LifecyclePath.CYCLE, "stapes", 15),
                row(LifecyclePath.CYCLE, "incus-rest", 300),
                row(LifecyclePath.CYCLE, "by-hand", 11)));
    assertVerdict(report, "full cycle, Btrfs pool", "reached");
    assertVerdict(report, "full cycle: stapes at most 1.25 x by-hand", "NOT REACHED");
    assertVerdict(report, "exec: stapes at most 1/12", "not measured");
    assertVerdict(report, "full cycles per second", "reached");
    assertVerdict(report, "private dirty memory", "reached");
  }

  private static void assertVerdict(String report, String target, String verdict) {
    String line = line(report, "| " + target);
    String[] cells = line.split("\\|", -1);
    assertEquals(verdict, cells[cells.length - 2].strip(), line);
  }
}
