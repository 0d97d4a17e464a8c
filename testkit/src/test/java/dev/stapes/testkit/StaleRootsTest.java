package dev.stapes.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Stapes;
import dev.stapes.model.PoolSpec;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the next JVM does with what an earlier one left. */
class StaleRootsTest {
  /** More than a kernel gives (PID_MAX_LIMIT, 2^22). */
  private static final String NOBODY = "9999999-1700000000000-1";

  private final List<Path> opened = new ArrayList<>();
  private final FakeStorage storage = FakeStorage.create();
  @TempDir Path parent;

  private Stapes open(Path root) {
    opened.add(root);
    return Stapes.builder(root)
        .with(FakeHost.builder().provider())
        .with(storage)
        .with(FakeInstances.in(FakeMachineRoom.create()))
        .defaultPool(PoolSpec.of("default", "fake"))
        .open();
  }

  private Path leave(String name) throws IOException {
    Path root = Files.createDirectory(parent.resolve(name));
    open(root).close();
    opened.clear();
    return root;
  }

  @Test
  void a_root_of_a_jvm_that_is_gone_is_repaired_and_removed() throws IOException {
    Path root = leave(NOBODY);
    StaleRoots.remove(parent, this::open);
    assertEquals(List.of(root), opened);
    assertFalse(Files.exists(root));
  }

  @Test
  void a_pid_that_another_process_has_by_now_keeps_no_root() throws IOException {
    Path root = leave(ProcessHandle.current().pid() + "-1700000000000-1");
    StaleRoots.remove(parent, this::open);
    assertFalse(Files.exists(root));
  }

  @Test
  void what_belongs_to_this_jvm_or_to_nobody_known_is_left_alone() throws IOException {
    List<Path> roots =
        List.of(leave(StaleRoots.prefix() + "-1"), leave("mine"), leave("9999999-x-1"));
    StaleRoots.remove(parent, this::open);
    assertEquals(List.of(), opened);
    roots.forEach(root -> assertTrue(Files.exists(root), root::toString));
  }

  @Test
  void a_root_that_somebody_has_open_fails_nobody() throws IOException {
    Path root = leave(NOBODY);
    Path other = leave("9999998-1700000000000-1");
    try (Stapes held = open(root)) {
      StaleRoots.remove(parent, this::open);
      assertTrue(Files.exists(root));
      assertFalse(Files.exists(other));
      assertEquals(List.of(), held.instances().list());
    }
    StaleRoots.remove(parent, this::open);
    assertFalse(Files.exists(root));
  }

  @Test
  void of_two_that_clean_at_once_one_goes_on() throws IOException {
    Path root = leave(NOBODY);
    try (FileChannel file =
            FileChannel.open(
                parent.resolve("cleaning.lock"),
                StandardOpenOption.CREATE,
                StandardOpenOption.WRITE);
        FileLock lock = file.lock()) {
      assertTrue(lock.isValid());
      StaleRoots.remove(parent, this::open);
      assertEquals(List.of(), opened);
    }
    StaleRoots.remove(parent, this::open);
    assertFalse(Files.exists(root));
  }
}
