package dev.stapes.benchmarks.unpack;

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
    assertEquals(List.of(UnpackPath.values()), options.paths());
    assertEquals(Optional.empty(), options.run().json());
  }

  @Test
  void paths_are_measured_in_the_order_given() {
    Options options = Options.parse("--paths", "squashfs, tar.gz", "--runs", "2");
    assertEquals(List.of(UnpackPath.SQUASHFS, UnpackPath.TAR_GZ), options.paths());
    assertEquals(2, options.run().runs());
  }

  @Test
  void what_is_unpacked_is_kept_with_the_results() {
    assertEquals(Path.of("o/unpack/inputs"), Options.parse("--output", "o").inputs());
  }

  @Test
  void what_is_wrong_is_quoted() {
    assertSays("no path \"zip\": one of [tar.zst, ", "--paths", "zip");
    assertSays("unknown option \"--fast\": --json, --runs, --paths, --heap", "--fast", "1");
    assertSays("--json needs a value", "--json");
    assertSays("--runs must be at least 1: 0", "--runs", "0");
  }

  private static void assertSays(String start, String... arguments) {
    var e = assertThrows(IllegalArgumentException.class, () -> Options.parse(arguments));
    String message = String.valueOf(e.getMessage());
    assertTrue(message.startsWith(start), message);
  }
}
