package dev.stapes.spi;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DurableFileTest {
  @TempDir Path directory;

  @Test
  void what_is_written_takes_the_place_of_what_was_there_and_nothing_else_is_left()
      throws IOException {
    Path file = directory.resolve("mark");
    DurableFile.write(file, "first\n");
    DurableFile.write(file, "zweites \u00e4\n");
    assertEquals("zweites \u00e4\n", Files.readString(file));
    assertArrayEquals(new String[] {"mark"}, directory.toFile().list());
    DurableFile.delete(file);
    assertFalse(Files.exists(file));
    DurableFile.delete(file);
  }

  @Test
  void what_an_interrupted_writer_left_is_in_nobodys_way() throws IOException {
    Files.writeString(directory.resolve(".mark.new"), "half of it, and longer");
    DurableFile.write(directory.resolve("mark"), "whole");
    assertEquals("whole", Files.readString(directory.resolve("mark")));
    assertArrayEquals(new String[] {"mark"}, directory.toFile().list());
  }

  @Test
  void an_interrupted_thread_changes_nothing_and_removes_it_all_the_same() throws IOException {
    Path file = directory.resolve("mark");
    DurableFile.write(file, "old");
    Thread.currentThread().interrupt();
    StapesException error =
        assertThrows(StapesException.class, () -> DurableFile.write(file, "new"));
    assertTrue(Thread.interrupted());
    assertEquals(Kind.INTERRUPTED, error.kind());
    assertEquals("old", Files.readString(file));
    assertArrayEquals(new String[] {"mark"}, directory.toFile().list());
    Thread.currentThread().interrupt();
    DurableFile.delete(file);
    assertTrue(Thread.interrupted());
    assertFalse(Files.exists(file));
    DurableFile.delete(directory.resolve("none").resolve("mark"));
  }

  @Test
  void where_it_cannot_be_written_what_was_there_stays() throws IOException {
    Path none = directory.resolve("none").resolve("mark");
    StapesException error =
        assertThrows(StapesException.class, () -> DurableFile.write(none, "text"));
    assertEquals(Kind.INTERNAL, error.kind());
    Path file = directory.resolve("mark");
    Files.writeString(file, "old");
    Files.createDirectories(directory.resolve(".mark.new").resolve("full"));
    assertThrows(StapesException.class, () -> DurableFile.write(file, "new"));
    assertEquals("old", Files.readString(file));
  }
}
