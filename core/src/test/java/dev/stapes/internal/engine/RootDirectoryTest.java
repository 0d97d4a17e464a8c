package dev.stapes.internal.engine;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class RootDirectoryTest {
  private static final String OPENED = "opened";

  /** Tries to open a root directory in another process; says what came of it. */
  public static void main(String[] arguments) {
    PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, UTF_8);
    try (RootDirectory root = RootDirectory.lock(Path.of(arguments[0]))) {
      out.println(OPENED);
    } catch (StapesException e) {
      out.println(e.kind());
    }
  }

  private static String openedElsewhere(Path path) throws IOException, InterruptedException {
    Process child =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                RootDirectoryTest.class.getName(),
                path.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(child.getInputStream().readAllBytes(), UTF_8);
    assertTrue(child.waitFor(30, TimeUnit.SECONDS), said);
    return said.strip();
  }

  private static void assertHeld(Path path) {
    StapesException refused =
        assertThrows(StapesException.class, () -> RootDirectory.lock(path).close());
    assertEquals(Kind.UNAVAILABLE, refused.kind());
    String message = String.valueOf(refused.getMessage());
    assertTrue(message.contains("process " + ProcessHandle.current().pid()), message);
  }

  @Test
  void a_refused_open_in_the_same_process_does_not_give_up_the_lock_of_the_first(
      @TempDir Path directory) throws Exception {
    Path path = directory.resolve("root");
    try (RootDirectory first = RootDirectory.lock(path)) {
      assertHeld(path);
      assertEquals("UNAVAILABLE", openedElsewhere(path));
      assertEquals(path.toRealPath(), first.path());
    }
    assertEquals(OPENED, openedElsewhere(path));
  }

  @Test
  void the_same_directory_by_another_path_is_the_same(@TempDir Path directory) throws Exception {
    Path path = directory.resolve("root");
    try (RootDirectory first = RootDirectory.lock(path)) {
      Path link = Files.createSymbolicLink(directory.resolve("link"), first.path());
      assertHeld(link);
    }
    RootDirectory.lock(path).close();
  }

  @Test
  void an_open_that_failed_can_be_tried_again(@TempDir Path directory) throws Exception {
    Path path = directory.resolve("root");
    Files.createDirectories(path.resolve("lock"));
    assertEquals(
        Kind.UNAVAILABLE,
        assertThrows(StapesException.class, () -> RootDirectory.lock(path).close()).kind());
    Files.delete(path.resolve("lock"));
    RootDirectory.lock(path).close();
  }

  @Test
  void a_second_close_does_not_take_it_from_the_next_one(@TempDir Path directory) {
    RootDirectory first = RootDirectory.lock(directory);
    first.close();
    try (RootDirectory second = RootDirectory.lock(directory)) {
      first.close();
      assertHeld(second.path());
    }
  }
}
