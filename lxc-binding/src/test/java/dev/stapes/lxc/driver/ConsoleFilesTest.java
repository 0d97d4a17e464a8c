package dev.stapes.lxc.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.Writer;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConsoleFilesTest {
  @TempDir Path directory;
  private RunFiles files;
  private Path log;

  @BeforeEach
  void places() throws IOException {
    Path run = Files.createDirectory(directory.resolve("run"));
    files = new RunFiles("box", run, run);
    log = Files.createDirectory(directory.resolve("logs")).resolve("id01/console.log");
  }

  @Test
  void a_log_that_is_kept_is_where_the_link_leads() throws IOException {
    ConsoleFiles.keep(files, log);
    Files.writeString(files.console(), "written");
    assertEquals("written", Files.readString(log));
    assertEquals(
        PosixFilePermissions.fromString("rwx------"),
        Files.getPosixFilePermissions(log.resolveSibling("")));
    Files.delete(files.consoleDirectory());
    ConsoleFiles.keep(files, log);
    assertEquals("written", Files.readString(files.console()));
  }

  @Test
  void a_log_that_goes_with_the_container_is_in_its_directory() throws IOException {
    ConsoleFiles.create(files);
    assertTrue(Files.isDirectory(files.consoleDirectory(), LinkOption.NOFOLLOW_LINKS));
  }

  @Test
  void who_has_the_file_open_writes_behind_what_was_kept() throws IOException {
    ConsoleFiles.create(files);
    try (Writer monitor =
        Files.newBufferedWriter(
            files.console(), StandardOpenOption.CREATE_NEW, StandardOpenOption.APPEND)) {
      Files.createDirectory(log.resolveSibling(""));
      Files.writeString(log, "before ");
      ConsoleFiles.adopt(files, log);
      assertEquals("before ", Files.readString(log));
      monitor.write("after");
    }
    assertEquals("before after", Files.readString(log));
    Files.move(files.console(), files.consoleDirectory().resolve("console.log.1"));
    assertFalse(Files.exists(log)); // its name is changed where it is kept
    assertEquals("before after", Files.readString(log.resolveSibling("console.log.1")));
  }

  @Test
  void a_long_log_is_put_aside_in_place_of_the_one_before() throws IOException {
    ConsoleFiles.create(files);
    Files.createFile(files.console());
    Files.createDirectory(log.resolveSibling(""));
    Files.write(log, new byte[(64 << 10) + 1]);
    Path before = Files.writeString(log.resolveSibling("console.log.1"), "long ago");
    ConsoleFiles.adopt(files, log);
    assertEquals((64 << 10) + 1, Files.size(before));
    assertEquals(0, Files.size(log));
  }

  @Test
  void a_first_log_is_adopted_and_a_link_in_its_place_not_followed() throws IOException {
    ConsoleFiles.create(files);
    Files.createFile(files.console());
    Files.createDirectory(log.resolveSibling(""));
    Path secret = Files.writeString(directory.resolve("secret"), "secret");
    Files.createSymbolicLink(log, secret);
    ConsoleFiles.adopt(files, log);
    assertTrue(Files.isRegularFile(log, LinkOption.NOFOLLOW_LINKS));
    assertEquals("", Files.readString(log));
    assertEquals("secret", Files.readString(secret));
  }

  @Test
  void what_is_in_the_way_is_left_as_it_is() throws IOException {
    ConsoleFiles.create(files);
    Files.createFile(files.console());
    Path elsewhere = Files.createDirectory(directory.resolve("elsewhere"));
    Files.createSymbolicLink(log.resolveSibling(""), elsewhere);
    assertThrows(FileAlreadyExistsException.class, () -> ConsoleFiles.adopt(files, log));
    assertTrue(Files.exists(files.console()));
    Files.delete(files.console());
    Files.delete(files.consoleDirectory());
    assertThrows(FileAlreadyExistsException.class, () -> ConsoleFiles.keep(files, log));
    assertFalse(Files.exists(files.consoleDirectory(), LinkOption.NOFOLLOW_LINKS));
  }
}
