package dev.stapes.lxc.ffi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LockFilesTest {
  private static final int ROUNDS = 3000;
  private static final int NEIGHBOURS = 3;

  private final Path above;

  LockFilesTest(@TempDir Path above) {
    this.above = above;
  }

  @AfterEach
  void nothing_is_left() {
    assertFalse(Files.exists(locks(above)));
  }

  private static Path locks(Path lxcPath) {
    return Path.of("/run/lxc/lock" + lxcPath);
  }

  @Test
  void a_prepared_directory_stays_until_its_own_path_is_removed() throws IOException {
    LockFiles.prepare(above.resolve("one"));
    LockFiles.prepare(above.resolve("two"));

    LockFiles.remove(above.resolve("one"));
    assertTrue(Files.isDirectory(locks(above.resolve("two"))));

    LockFiles.remove(above.resolve("two"));
    LockFiles.remove(above.resolve("two"));
  }

  @Test
  void who_comes_while_a_neighbour_goes_finds_a_place_for_his_locks() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(NEIGHBOURS);
    try {
      List<Callable<Integer>> neighbours = new ArrayList<>();
      for (int i = 0; i < NEIGHBOURS; i++) {
        Path own = above.resolve("deep/" + i + "/run/lxc");
        neighbours.add(() -> comeAndGo(own));
      }
      for (Future<Integer> neighbour : threads.invokeAll(neighbours)) {
        assertEquals(ROUNDS, neighbour.get());
      }
    } finally {
      threads.shutdownNow();
    }
  }

  private static int comeAndGo(Path lxcPath) throws IOException {
    int held = 0;
    for (int round = 0; round < ROUNDS; round++) {
      LockFiles.prepare(lxcPath);
      Files.createFile(locks(lxcPath).resolve(".container")); // as liblxc does
      held++;
      LockFiles.remove(lxcPath);
    }
    return held;
  }

  @Test
  void a_lock_that_is_held_makes_its_own_place() throws IOException {
    Path lxcPath = above.resolve("one");
    try (Closeable lock = LockFiles.hold(lxcPath, "container")) {
      assertTrue(Files.exists(locks(lxcPath).resolve(".container")));
    }
    LockFiles.remove(lxcPath);
  }

  @Test
  void a_file_where_the_directory_should_be_is_an_error() throws IOException {
    Files.createDirectories(locks(above));
    Path taken = Files.createFile(locks(above).resolve("taken"));

    assertThrows(FileSystemException.class, () -> LockFiles.prepare(above.resolve("taken")));
    assertThrows(FileSystemException.class, () -> LockFiles.prepare(above.resolve("taken/below")));

    Files.delete(taken);
    LockFiles.remove(above);
  }
}
