package dev.stapes.benchmarks.vm;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.benchmarks.Row;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ResultsTest {
  private static String report(double own) {
    List<Row> rows =
        List.of(
            new Row("boot", Results.OWN, own, own, 10),
            new Row("boot", Results.BARE, 1000, 1100, 10));
    return new Results(Map.of(), rows, Map.of()).report();
  }

  @Test
  void a_boot_may_take_little_more_than_by_hand() {
    assertTrue(report(1290).contains(" 1.290 x | <= 1.30 x |"), report(1290));
    assertFalse(report(1290).contains("NOT REACHED"), report(1290));
    assertTrue(report(1310).contains("NOT REACHED"), report(1310));
  }

  @Test
  void a_start_from_memory_takes_a_fifth_of_a_boot() {
    List<Row> rows =
        List.of(
            new Row("saved", Results.OWN, 201, 201, 10),
            new Row("saved", Results.BARE, 1000, 1100, 10));
    String report = new Results(Map.of(), rows, Map.of()).report();
    assertTrue(report.contains("NOT REACHED"), report);
    assertTrue(report.contains("- saved: `by-hand` boots"), report);
    assertFalse(report(1290).contains("by-hand` boots"), "where there was none");
  }

  @Test
  void what_failed_is_said() {
    String report =
        new Results(Map.of(), List.of(), Map.of("by-hand on boot", "no answer")).report();
    assertTrue(report.contains("not measured"), report);
    assertTrue(report.contains("- by-hand on boot: no answer"), report);
  }
}
