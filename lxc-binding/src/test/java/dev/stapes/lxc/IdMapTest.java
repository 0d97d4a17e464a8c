package dev.stapes.lxc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.stapes.model.IdMapping;
import dev.stapes.model.IdMapping.Range;
import dev.stapes.model.StapesException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class IdMapTest {
  @Test
  void a_machine_that_says_nothing_has_the_usual_range(@TempDir Path etc) throws IOException {
    assertEquals(SubordinateIds.DEFAULT, SubordinateIds.of(etc));
    Files.writeString(etc.resolve("subuid"), "alice:100000:65536\n");
    Files.writeString(etc.resolve("subgid"), "");
    assertEquals(SubordinateIds.DEFAULT, SubordinateIds.of(etc));
  }

  @Test
  void roots_largest_range_that_both_files_have_is_taken(@TempDir Path etc) throws IOException {
    Files.writeString(
        etc.resolve("subuid"),
        "# comment\nroot:100000:70000\nalice:1:9\nroot:500000:900000\nroot:x:1\nroot:1:2:3\n");
    Files.writeString(etc.resolve("subgid"), "0:600000:100000\nroot:100000:65536\n");

    assertEquals(new SubordinateIds(600_000, 100_000), SubordinateIds.of(etc));
  }

  @Test
  void an_isolated_container_gets_the_first_gap() {
    SubordinateIds all = new SubordinateIds(1_000_000, 500_000);
    IsolatedIds first = IsolatedIds.firstFree(all, 65_536, List.of());
    assertEquals(new IsolatedIds(1_065_536, 65_536), first);
    IsolatedIds second = IsolatedIds.firstFree(all, 65_536, List.of(first));
    assertEquals(new IsolatedIds(1_131_072, 65_536), second);
    assertEquals(first, IsolatedIds.firstFree(all, 65_536, List.of(second)));
    IsolatedIds third = IsolatedIds.firstFree(all, 100_000, List.of(second));
    assertEquals(new IsolatedIds(1_196_608, 100_000), third);
  }

  @Test
  void ids_run_out_with_an_error_that_says_so() {
    SubordinateIds all = new SubordinateIds(1_000_000, 131_072);
    IsolatedIds only = IsolatedIds.firstFree(all, 65_536, List.of());

    StapesException thrown =
        assertThrows(
            StapesException.class, () -> IsolatedIds.firstFree(all, 65_536, List.of(only)));
    assertEquals(StapesException.Kind.EXHAUSTED, thrown.kind());
    assertEquals("id map: no 65536 free ids in 1000000:131072", thrown.getMessage());
  }

  @Test
  void a_base_outside_of_roots_ids_is_refused() {
    SubordinateIds all = new SubordinateIds(1_000_000, 131_072);

    assertEquals(new IsolatedIds(1_000_000, 10), IsolatedIds.at(all, 1_000_000, 10));
    assertThrows(StapesException.class, () -> IsolatedIds.at(all, 999_999, 10));
    assertThrows(StapesException.class, () -> IsolatedIds.at(all, 1_131_071, 2));
  }

  @Test
  void raw_entries_are_cut_out_of_the_map() {
    IdMapping mapped =
        RawIdMap.parse("both 1000 1000\nuid 50-60 500-510\n\n").over(IdMapping.of(100_000, 65_536));

    assertEquals(
        List.of(
            new Range(0, 100_000, 500),
            new Range(500, 50, 11),
            new Range(511, 100_511, 489),
            new Range(1000, 1000, 1),
            new Range(1001, 101_001, 64_535)),
        mapped.uids());
    assertEquals(
        List.of(
            new Range(0, 100_000, 1000),
            new Range(1000, 1000, 1),
            new Range(1001, 101_001, 64_535)),
        mapped.gids());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "both 1000",
        "user 1 1",
        "uid 1-5 1-4",
        "uid 5-1 5-1",
        "uid 4294967295 0",
        "uid -1 0",
        "x"
      })
  void what_is_no_entry_is_quoted(String line) {
    StapesException thrown = assertThrows(StapesException.class, () -> RawIdMap.parse(line));
    assertEquals(StapesException.Kind.INVALID, thrown.kind());
    assertEquals(true, String.valueOf(thrown.getMessage()).endsWith("\"" + line + "\""));
  }

  @Test
  void a_host_id_is_never_given_twice() {
    IdMapping base = IdMapping.of(100_000, 65_536);

    assertThrows(StapesException.class, () -> RawIdMap.parse("uid 100005 7").over(base));
    assertThrows(StapesException.class, () -> RawIdMap.parse("uid 7 7\nuid 7 8").over(base));
  }
}
