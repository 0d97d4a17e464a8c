package dev.stapes.benchmarks.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class OptionsTest {
  @Test
  void without_options_every_path_is_measured() {
    Options options = Options.parse();
    assertEquals(Options.DEFAULT_RUNS, options.run().runs());
    assertEquals(List.of(VmPath.values()), options.paths());
  }

  @Test
  void paths_runs_and_a_file_are_taken() {
    Options options = Options.parse("--paths", "boot", "--runs", "3", "--json", "x.json");
    assertEquals(List.of(VmPath.BOOT), options.paths());
    assertEquals(3, options.run().runs());
    assertEquals(Optional.of(Path.of("x.json")), options.run().json());
  }

  @Test
  void what_is_wrong_is_quoted() {
    var e = assertThrows(IllegalArgumentException.class, () -> Options.parse("--paths", "jump"));
    assertTrue(String.valueOf(e.getMessage()).startsWith("no path \"jump\""), e.getMessage());
  }
}
