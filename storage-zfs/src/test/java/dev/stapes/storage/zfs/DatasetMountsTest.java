package dev.stapes.storage.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.PoolSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Host;
import dev.stapes.testkit.FakeHost;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Who holds a file system when it is unmounted: who lets it go last waits for its disk. */
@Timeout(60)
class DatasetMountsTest {
  private static final Path SELF = Path.of("/proc/self");
  private static final DatasetName ROOT = new DatasetName("tank/stapes");
  private static final Place A = Place.of(ROOT.child("instances:a"));
  private static final Place B = Place.of(ROOT.child("instances:b"));

  @TempDir Path temporary;

  private final List<String> held = new ArrayList<>();
  private Path directory;
  private final DirectoryMounts directories = new DirectoryMounts(this::look);
  private volatile boolean stuck;
  private DatasetMounts mounts;

  @BeforeEach
  void open() throws IOException {
    directory = temporary.toRealPath();
    Host watched = directories.on(FakeHost.create());
    PoolContext pool =
        new PoolContext(watched, PoolSpec.of("p", "zfs"), directory, Path.of("/nonexistent"));
    mounts = new DatasetMounts(pool, () -> stuck);
  }

  private void look() {
    held.add("descriptors " + below("fd", "") + ", threads in " + below("task", "cwd"));
  }

  /** What the links of this process lead to below the pool's directory. */
  private Set<String> below(String each, String link) {
    Set<String> found = new TreeSet<>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(SELF.resolve(each))) {
      all.forEach(entry -> add(entry.resolve(link), found));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return found;
  }

  private void add(Path link, Set<String> found) {
    try {
      Path target = Files.readSymbolicLink(link);
      if (target.startsWith(directory)) {
        found.add(directory.relativize(target).toString());
      }
    } catch (IOException e) {
      // it is gone again
    }
  }

  @Test
  void what_is_unmounted_is_held_by_no_descriptor_which_programs_that_start_would_get() {
    mounts.use(A, false).close();
    assertEquals(List.of("descriptors [], threads in [mnt/1]"), held);
    assertEquals(Set.of(), below("task", "cwd"));
  }

  @Test
  void all_that_are_unmounted_at_once_are_held_until_then() {
    DatasetMounts.Use a = mounts.use(A, false);
    DatasetMounts.Use view = mounts.use(A, true);
    DatasetMounts.Use b = mounts.use(B, false);
    mounts.close();
    assertEquals(List.of("descriptors [], threads in [mnt/1, mnt/3]"), held);
    assertEquals(Set.of(), below("task", "cwd"));
    for (DatasetMounts.Use each : List.of(a, view, b)) {
      each.close();
    }
    assertEquals(1, held.size(), "they were let go with the others");
  }

  @Test
  void who_cannot_hold_what_is_gone_leaves_the_working_directory_alone() throws IOException {
    Path before = Files.readSymbolicLink(SELF.resolve("cwd"));
    PoolContext pool =
        new PoolContext(
            new DirectoryMounts(() -> {}).on(FakeHost.create()),
            PoolSpec.of("p", "zfs"),
            directory,
            Path.of("/nonexistent"));
    HeldMount gone = new HeldMount(pool, directory.resolve("none"));
    gone.awaitHeld(() -> {});
    gone.letGo();
    gone.awaitEnd(() -> {});
    assertEquals(before, Files.readSymbolicLink(SELF.resolve("cwd")));
  }

  @Test
  void nothing_of_a_zpool_that_has_stopped_is_mounted() {
    stuck = true;
    StapesException error = assertThrows(StapesException.class, () -> mounts.use(A, false));
    assertEquals(Kind.UNAVAILABLE, error.kind(), error::toString);
    assertEquals(Set.of(), mounts.inUse());
    stuck = false;
    mounts.use(A, false).close();
    assertTrue(mounts.inUse().isEmpty());
  }

  /** It stops when somebody has looked whether it goes on. */
  @Test
  void a_mount_that_hangs_is_given_up_and_let_go_when_it_comes() throws Exception {
    mounts.use(B, false).close();
    CountDownLatch goOn = new CountDownLatch(1);
    CompletableFuture<Thread> mounting = new CompletableFuture<>();
    directories.before(
        () -> {
          stuck = true;
          mounting.complete(Thread.currentThread());
          awaitThough(goOn);
        });
    StapesException error = assertThrows(StapesException.class, () -> mounts.use(A, false));
    assertEquals(Kind.UNAVAILABLE, error.kind(), error::toString);
    assertEquals(Set.of(), mounts.inUse());
    stuck = false;
    directories.before(() -> {});
    DatasetMounts.Use again = mounts.use(A, false);
    goOn.countDown();
    mounting.get().join();
    assertEquals(1, directories.count(), "the late one is gone");
    assertTrue(Files.isDirectory(again.path()));
    again.close();
    assertEquals(0, directories.count());
  }

  private static void awaitThough(CountDownLatch goOn) {
    try {
      goOn.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
