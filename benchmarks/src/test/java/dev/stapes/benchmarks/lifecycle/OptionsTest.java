package dev.stapes.benchmarks.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class OptionsTest {
  @Test
  void without_options_everybody_is_measured_on_every_path() {
    Options options = Options.parse();
    assertEquals(Options.DEFAULT_RUNS, options.run().runs());
    assertEquals(List.of(LifecyclePath.values()), options.paths());
    assertTrue(options.wants("podman"));
    assertEquals(Optional.empty(), options.run().json());
  }

  @Test
  void lists_are_separated_by_commas() {
    Options options = Options.parse("--subjects", "stapes, runc", "--paths", "exec,stop-force");
    assertEquals(List.of(LifecyclePath.EXEC, LifecyclePath.STOP_FORCE), options.paths());
    assertTrue(options.wants("runc"));
    assertFalse(options.wants("podman"));
  }

  @Test
  void results_go_to_a_file_more() {
    assertEquals(Optional.of(Path.of("x.json")), Options.parse("--json", "x.json").run().json());
  }

  @Test
  void what_is_wrong_is_quoted() {
    assertSays("no path \"jump\"", "--paths", "jump");
    assertSays("unknown option \"--fast\"", "--fast", "1");
    assertSays("--json needs a value", "--json");
    assertSays("--runs must be at least 1: 0", "--runs", "0");
  }

  private static void assertSays(String start, String... arguments) {
    var e = assertThrows(IllegalArgumentException.class, () -> Options.parse(arguments));
    String message = String.valueOf(e.getMessage());
    assertTrue(message.startsWith(start), message);
  }
}
