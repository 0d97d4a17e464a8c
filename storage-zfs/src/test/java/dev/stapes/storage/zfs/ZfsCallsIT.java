package dev.stapes.storage.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.zfs.ZfsCalls;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Command;
import dev.stapes.spi.Host;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The calls of the library on a real zpool. */
@RequiresRoot
@RequiresKernel("zfs")
@RequiresTool("zpool")
@Tag("smoke")
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ZfsCallsIT {
  private static final int ENOENT = 2;
  private static final int EBUSY = 16;
  private static final int EEXIST = 17;
  private static final int EINVAL = 22;
  private static final int MANY = 40;

  private final Host host = TestZpool.openHost();
  private final String root = TestZpool.shared().dataset();
  private final ZfsCalls calls = ZfsCalls.find().orElseThrow();

  @AfterEach
  void close() {
    host.close();
  }

  private Set<String> names() {
    return host.programs()
        .run(Command.of("zfs", "list", "-H", "-t", "all", "-o", "name", "-r", root))
        .stdout()
        .lines()
        .collect(Collectors.toSet());
  }

  @Test
  void they_do_what_the_commands_do_or_say_why_not() {
    assertEquals(0, calls.snapshot(List.of(root + "@a")));
    assertEquals(0, calls.clone(root + "@a", root + "/one"));
    assertEquals(0, calls.rename(root + "/one", root + "/two"));
    assertEquals(0, calls.rename(root + "@a", root + "@b"));
    assertEquals(0, calls.snapshot(List.of(root + "@both", root + "/two@both")));
    Set<String> all = Set.of(root, root + "/two", root + "@b", root + "@both", root + "/two@both");
    assertEquals(all, names());

    assertEquals(EEXIST, calls.snapshot(List.of(root + "@b", root + "/two@new")));
    assertEquals(ENOENT, calls.snapshot(List.of(root + "/none@new")));
    assertEquals(EEXIST, calls.clone(root + "@b", root + "/two"));
    assertEquals(ENOENT, calls.clone(root + "@none", root + "/three"));
    assertEquals(ENOENT, calls.rename(root + "/none", root + "/three"));
    assertEquals(EINVAL, calls.clone(root + "@b", root + "/a b@c"));
    assertEquals(all, names());
  }

  @Test
  void what_nothing_needs_is_destroyed_and_a_snapshot_with_a_clone_after_it() {
    String clone = root + "/clone";
    assertEquals(0, calls.snapshot(List.of(root + "@a")));
    assertEquals(0, calls.snapshot(List.of(root + "@b")));
    assertEquals(0, calls.clone(root + "@a", clone));
    assertEquals(0, calls.snapshot(List.of(clone + "@own")));
    assertEquals(EBUSY, calls.destroy(clone));
    assertEquals(0, calls.destroySnapshots(List.of(clone + "@own"), false));
    List<String> three = List.of(root + "@a", root + "@b", root + "@none");
    assertEquals(EEXIST, calls.destroySnapshots(three, false));
    assertEquals(Set.of(root, root + "@a", root + "@b", clone), names());
    assertEquals(0, calls.destroySnapshots(three, true));
    assertEquals(Set.of(root, root + "@a", clone), names());
    assertEquals(0, calls.destroy(clone));
    assertEquals(Set.of(root), names());
    assertEquals(ENOENT, calls.destroy(clone));
  }

  @Test
  void clones_of_many_threads_are_all_made() throws Exception {
    assertEquals(0, calls.snapshot(List.of(root + "@a")));
    List<String> wanted =
        IntStream.range(0, MANY).mapToObj(clone -> root + "/clone-" + clone).toList();
    ExecutorService threads = Executors.newFixedThreadPool(8);
    try {
      List<Future<Integer>> made =
          wanted.stream()
              .map(name -> threads.submit(() -> calls.clone(root + "@a", name)))
              .toList();
      for (Future<Integer> each : made) {
        assertEquals(0, each.get());
      }
    } finally {
      threads.shutdown();
      assertTrue(threads.awaitTermination(1, TimeUnit.MINUTES));
    }
    Set<String> expected = new HashSet<>(wanted);
    expected.addAll(Set.of(root, root + "@a"));
    assertEquals(expected, names());
  }

  @Test
  void an_error_of_a_pool_has_the_words_of_the_command() {
    PoolSpec spec = PoolSpec.of("p", "zfs");
    Path nowhere = Path.of("/nonexistent");
    Zfs zfs = new Zfs(new PoolContext(host, spec, nowhere, Path.of("/"), ZfsCalls.find()));
    Place snapshot = Place.parse(root + "@a").orElseThrow();
    zfs.snapshot(List.of(snapshot));
    StapesException error =
        assertThrows(StapesException.class, () -> zfs.snapshot(List.of(snapshot)));
    assertEquals(Kind.CONFLICT, error.kind(), error::toString);
    assertTrue(String.valueOf(error.getMessage()).contains("already exists"), error::toString);
  }
}
