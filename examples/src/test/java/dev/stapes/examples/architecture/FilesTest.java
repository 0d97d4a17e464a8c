package dev.stapes.examples.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The project's files speak of the project alone. The patterns are written so that they do not
 * match themselves.
 */
class FilesTest {
  private static final Project PROJECT = Project.here();

  /**
   * Where software is fetched from is for whoever runs the build to say (settings.xml,
   * sources.list).
   */
  private static final Pattern REGISTRY =
      Pattern.compile(
          "repo1?[.]maven|[.]maven[.]org|deb[.]debian[.]|snapshot[.]debian|docker[.]io|gcr[.]io|ghcr[.]io"
              + "|quay[.]io|pkg[.]dev|n[p]mjs|registry[-.]1|[a]rtifactory|jitpack[.]io");

  /**
   * The directory that this checkout stands in, wherever that is, and the home of whoever runs the
   * test.
   */
  private static final Pattern MACHINE =
      Pattern.compile(
          "(?<![a-zA-Z0-9_}$])(?:/root/[.]m2|"
              + Stream.of(PROJECT.root(), Path.of(System.getProperty("user.home", "/root")))
                  .filter(path -> path.getNameCount() > 1)
                  .map(path -> Pattern.quote(path.toString()))
                  .collect(Collectors.joining("|"))
              + ")\\b");

  @Test
  void no_file_names_a_registry_host() {
    assertNowhere(REGISTRY);
  }

  @Test
  void no_file_names_a_path_of_the_machine_it_was_written_on() {
    assertNowhere(MACHINE);
  }

  @Test
  void the_list_of_decisions_is_complete_and_no_number_is_given_twice() {
    Path directory = PROJECT.root().resolve("docs/decisions");
    String list = Project.read(directory.resolve("README.md"));
    List<String> missing = new ArrayList<>();
    Set<String> numbers = new TreeSet<>();
    for (Path file : PROJECT.files()) {
      String name = file.getFileName().toString();
      if (directory.equals(file.getParent()) && !name.equals("README.md")) {
        if (!list.contains("[" + name.substring(0, 4) + "](" + name + ")")) {
          missing.add(name);
        }
        assertTrue(numbers.add(name.substring(0, 4)), name + " has a number that is taken");
      }
    }
    assertFalse(numbers.isEmpty(), "no decisions found");
    assertEquals(List.of(), missing);
  }

  private static void assertNowhere(Pattern pattern) {
    List<Path> files = PROJECT.files();
    assertTrue(
        files.contains(PROJECT.root().resolve("verify")), "the project's files were not found");
    List<String> found = new ArrayList<>();
    for (Path file : files) {
      Matcher matcher = pattern.matcher(latin1(file));
      while (matcher.find()) {
        found.add(PROJECT.root().relativize(file) + ": " + matcher.group());
      }
    }
    assertEquals(List.of(), found);
  }

  /** As bytes: the project may hold binary test files. */
  private static String latin1(Path file) {
    try {
      return new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      throw new UncheckedIOException(file.toString(), e);
    }
  }
}
