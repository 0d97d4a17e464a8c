package dev.stapes.benchmarks.qmp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class OptionsTest {
  @Test
  void without_options_there_are_enough_rounds() {
    assertEquals(Options.DEFAULT_RUNS, Options.parse().run().runs());
    assertEquals(Optional.empty(), Options.parse().run().json());
  }

  @Test
  void results_go_to_a_file_more() {
    assertEquals(Optional.of(Path.of("x.json")), Options.parse("--json", "x.json").run().json());
  }

  @Test
  void what_is_wrong_is_quoted() {
    var e = assertThrows(IllegalArgumentException.class, () -> Options.parse("--paths", "x"));
    assertEquals("unknown option \"--paths\": --json, --runs", e.getMessage());
    assertThrows(IllegalArgumentException.class, () -> Options.parse("--runs", "0"));
  }
}
