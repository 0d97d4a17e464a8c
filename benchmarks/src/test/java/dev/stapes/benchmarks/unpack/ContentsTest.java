package dev.stapes.benchmarks.unpack;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ContentsTest {
  @TempDir Path directory;

  @Test
  void everything_below_counts_and_links_are_not_followed() throws IOException {
    Path below = Files.createDirectories(directory.resolve("a/b"));
    Files.writeString(below.resolve("file"), "12345");
    Files.createSymbolicLink(directory.resolve("link"), below);
    Files.createSymbolicLink(directory.resolve("nowhere"), Path.of("gone"));
    assertEquals(new Contents(5, 5), Contents.of(directory));
  }

  @Test
  void in_words_it_is_of_megabytes() {
    assertEquals("6700 entries, 166 MB", new Contents(6700, 165_600_000).toString());
  }
}
