package dev.stapes.storage.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.PoolSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.FakeHost;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a pool does by calls of the library. */
class ZfsCallsTest {
  private static final VolumeId A = new VolumeId(VolumeId.Kind.INSTANCE, "a");
  private static final VolumeId B = new VolumeId(VolumeId.Kind.INSTANCE, "b");
  private static final VolumeId OLD = new VolumeId(VolumeId.Kind.SNAPSHOT, "old");

  @TempDir Path directory;

  private final FakeZfs zfs = new FakeZfs();
  private final FakeHost host = zfs.host().build();
  private final Zfs programs = FakeZfs.programs(host);
  private final FakeCalls calls = new FakeCalls(host);
  private final List<String> called = calls.called;
  private StoragePool pool;

  @BeforeEach
  void create() {
    ZfsProvider provider = new ZfsProvider(Path.of("/"), () -> Optional.of(calls));
    pool = provider.create(host, PoolSpec.of("p", "zfs").source("tank/data"), directory);
    pool.create(A);
    called.clear();
  }

  @Test
  void a_snapshot_a_clone_and_a_removal_are_a_call_each() {
    pool.copy(A, OLD, true);
    pool.copy(OLD, B, false);
    pool.discard(B);
    assertEquals(List.of("snapshot", "clone", "rename"), called);
    assertEquals(Set.of(A, OLD), pool.list());
  }

  @Test
  void what_is_gone_is_destroyed_by_calls() {
    pool.copy(A, OLD, true);
    pool.discard(OLD);
    pool.discard(A);
    called.clear();
    pool.reclaim();
    assertEquals(List.of("destroySnapshots", "destroy"), called);
    assertEquals(List.of("tank", "tank/data", "tank/data/stapes"), zfs.names());
  }

  @Test
  void snapshots_are_discarded_by_a_call_and_those_that_were_cloned_are_renamed() {
    List<VolumeId> snapshots =
        IntStream.range(0, 8)
            .mapToObj(number -> new VolumeId(VolumeId.Kind.SNAPSHOT, "s" + number))
            .toList();
    snapshots.forEach(id -> pool.copy(A, id, true));
    pool.copy(snapshots.get(1), B, false);
    called.clear();
    List<VolumeId> all = new ArrayList<>(snapshots);
    all.add(A);
    pool.discardAll(all);
    assertEquals(
        List.of(
            "refused 8",
            "refused 4",
            "refused 2",
            "destroySnapshots",
            "destroySnapshots",
            "rename",
            "rename",
            "rename"),
        called);
    assertEquals(Set.of(B), pool.list());
    pool.discardAll(all);
    pool.discardAll(List.of());
    assertEquals(Set.of(B), pool.list());
  }

  @Test
  void what_the_library_cannot_do_is_done_by_a_command() {
    calls.broken = true;
    pool.copy(A, OLD, true);
    pool.copy(OLD, B, false);
    assertEquals(List.of("snapshot", "clone"), called);
    assertEquals(Set.of(A, B, OLD), pool.list());
    pool.discard(OLD);
    pool.discard(B);
    pool.discard(A);
    pool.reclaim();
    assertEquals(List.of("tank", "tank/data", "tank/data/stapes"), zfs.names());
  }

  @Test
  void the_command_says_why_a_call_failed() {
    pool.copy(A, OLD, true);
    programs.clone(
        FakeCalls.place(snapshot()), FakeCalls.place("tank/data/stapes/instances:b").dataset());
    StapesException error = assertThrows(StapesException.class, () -> pool.copy(OLD, B, false));
    assertEquals(Kind.CONFLICT, error.kind(), error::toString);
    assertTrue(String.valueOf(error.getMessage()).contains("already exists"), error::toString);
  }

  private static String snapshot() {
    return "tank/data/stapes/instances:a@snapshots:old";
  }
}
