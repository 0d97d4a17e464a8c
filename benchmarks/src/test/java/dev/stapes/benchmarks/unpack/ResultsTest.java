package dev.stapes.benchmarks.unpack;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.benchmarks.Row;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ResultsTest {
  @Test
  void a_report_says_what_was_measured_what_is_missing_and_what_failed() {
    String report =
        new Results(
                Map.of("Machine", "a machine"),
                List.of(
                    new Row("tar.gz", "stapes", 1000, 1100, 9),
                    new Row("tar.gz", "tar", 1800, 1900, 9)),
                Map.of("incus-rest", "no package"),
                Map.of("bsdtar on tar.gz", "exit code 1"))
            .report();
    for (String part :
        List.of(
            "- Machine: a machine\n",
            "| tar.gz | 1000 / 1100 | 1800 / 1900 |\n",
            "| tar.gz | 1.80 |\n",
            "- incus-rest: no package\n",
            "- bsdtar on tar.gz: exit code 1\n")) {
      assertTrue(report.contains(part), report);
    }
  }
}
