package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a process has open, here this one. */
class OpenFilesTest {
  private static final int LOOKS = 200;

  @TempDir Path temporary;

  @Test
  void what_others_close_meanwhile_hides_nothing()
      throws IOException, InterruptedException, ExecutionException {
    String kept = Files.createFile(temporary.resolve("kept")).toRealPath().toString();
    Path passing = Files.createFile(temporary.resolve("passing"));
    AtomicBoolean done = new AtomicBoolean();
    CompletableFuture<Void> others = CompletableFuture.runAsync(() -> reopen(passing, done));
    try (InputStream open = Files.newInputStream(Path.of(kept))) {
      for (int look = 0; look < LOOKS; look++) {
        assertTrue(OpenFiles.of(Path.of("/proc/self")).containsValue(kept));
      }
      assertTrue(open.read() < 0);
    } finally {
      done.set(true);
    }
    others.get();
  }

  @Test
  void a_process_that_is_not_there_has_nothing() {
    assertThrows(
        NoSuchFileException.class, () -> OpenFiles.of(temporary.resolve("proc").resolve("7")));
  }

  private static void reopen(Path file, AtomicBoolean done) {
    while (!done.get()) {
      try (InputStream open = Files.newInputStream(file)) {
        assertTrue(open.read() < 0);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
