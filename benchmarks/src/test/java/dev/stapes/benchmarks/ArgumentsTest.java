package dev.stapes.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class ArgumentsTest {
  private static Arguments parse(String... arguments) {
    return Arguments.parse(List.of("--runs", "--paths"), List.of("--work"), arguments);
  }

  @Test
  void options_have_values_or_are_not_given() {
    Arguments arguments = parse("--runs", "3", "--work", "a/b", "--runs", "4");
    assertEquals(4, arguments.count("--runs", 9));
    assertEquals(Optional.of(Path.of("a/b")), arguments.path("--work"));
    assertEquals(Optional.empty(), arguments.words("--paths"));
    assertEquals(9, parse().count("--runs", 9));
  }

  @Test
  void words_are_separated_by_commas() {
    assertEquals(Optional.of(List.of("a", "b")), parse("--paths", "a, b").words("--paths"));
  }

  @Test
  void what_is_wrong_is_quoted_and_only_what_is_for_people_is_offered() {
    assertSays("unknown option \"--fast\": --runs, --paths", () -> parse("--fast", "1"));
    assertSays("--paths needs a value", () -> parse("--runs", "1", "--paths"));
    assertSays("--runs must be a number: many", () -> parse("--runs", "many").count("--runs", 9));
    assertSays("--runs must be at least 1: -3", () -> parse("--runs", "-3").count("--runs", 9));
  }

  private static void assertSays(String message, Executable call) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, call).getMessage());
  }
}
