package dev.stapes.benchmarks.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ResultsTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @Test
  void json_is_read_back_as_it_was() throws IOException {
    Results results = Samples.results(true, "btrfs", "btrfs-bare", "dir");
    Results read = JSON.readValue(JSON.writeValueAsBytes(results), Results.class);
    assertEquals(results, read);
  }

  @Test
  void json_has_the_samples_the_seed_and_what_is_missing() {
    JsonNode json = JSON.valueToTree(Samples.results(false, "btrfs", "btrfs-bare", "dir"));
    assertEquals(7, json.path("seed").asLong());
    assertFalse(json.path("interrupted").asBoolean());
    assertEquals("no streams", json.path("not_available").path("btrfs on send").asText());
    JsonNode first = json.path("measurements").path(0);
    assertEquals("create", first.path("path").asText());
    assertEquals(3, first.path("samples").size());
    assertEquals(0.25, first.path("median").asDouble());
  }

  @Test
  void a_pool_is_compared_with_its_bare_commands() {
    String report =
        results(
                Samples.of(StoragePath.CLONE, 0, "btrfs", 1_140),
                Samples.of(StoragePath.CLONE, 0, "btrfs-bare", 1_000),
                Samples.of(StoragePath.DELETE, 0, "btrfs", 1_160),
                Samples.of(StoragePath.DELETE, 0, "btrfs-bare", 1_000))
            .report();
    assertTrue(report.contains("1.140 x | <= 1.15 x |     reached"), report);
    assertTrue(report.contains("1.160 x | <= 1.15 x | NOT REACHED"), report);
  }

  @Test
  void the_cost_of_a_snapshot_is_to_be_flat() {
    String report =
        results(
                Samples.of(StoragePath.SNAPSHOT, 1, "btrfs", 1_000),
                Samples.of(StoragePath.SNAPSHOT, 10_000, "btrfs", 1_600))
            .report();
    assertTrue(report.contains("snapshot-10000 of btrfs like snapshot-1"), report);
    assertTrue(report.contains("1.60 x | <= 1.50 x | NOT REACHED"), report);
  }

  @Test
  void clones_together_are_held_against_commands_one_after_the_other() {
    String report =
        results(
                Samples.of(StoragePath.CLONES, 1, "btrfs-bare", 100_000_000),
                Samples.of(StoragePath.CLONES, 64, "btrfs", 19_000_000),
                Samples.of(StoragePath.CLONES, 64, "btrfs-bare", 21_000_000))
            .report();
    assertTrue(report.contains("clones-64 of btrfs beside clones-1 of btrfs-bare"), report);
    assertTrue(report.contains("0.19 x | <= 0.20 x | reached"), report);
    assertFalse(report.contains("clones-64 of btrfs-bare beside"), report);
  }

  private static Results results(Measurement... measurements) {
    return new Results(
        1,
        false,
        Map.of(),
        List.of("btrfs", "btrfs-bare"),
        List.of(measurements),
        Map.of(),
        Map.of());
  }

  @Test
  void what_a_pool_cannot_do_is_no_number() {
    Results results =
        new Results(
            1,
            false,
            Map.of(),
            List.of("btrfs", "dir", "zfs", "lvm"),
            List.of(Samples.of(StoragePath.SEND, 0, "btrfs", 1_000)),
            Map.of("dir on send", "no streams", "zfs", "no module"),
            Map.of("lvm on send", "exit code 5"));
    Point send = new Point(StoragePath.SEND, 0);
    assertEquals("n/a", results.absence(send, "dir"));
    assertEquals("n/a", results.absence(send, "zfs"));
    assertEquals("failed", results.absence(send, "lvm"));
    assertTrue(results.report().contains("- zfs: no module"), results.report());
  }

  @Test
  void a_run_that_was_interrupted_says_so() {
    assertTrue(Samples.results(true, "a", "b", "c").report().contains(Results.CUT_SHORT));
    assertFalse(Samples.results(false, "a", "b", "c").report().contains(Results.CUT_SHORT));
  }
}
