package dev.stapes.storage.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Host;
import dev.stapes.spi.StorageDriverProvider.Unfinished;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.StoragePool.BlockVolumes;
import dev.stapes.spi.StoragePool.GroupCopies;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.FakeHost;
import dev.stapes.testkit.Faults;
import dev.stapes.testkit.HostLeftovers;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** Which commands a pool needs, and what they leave; over a ZFS that is not there. */
class ZfsPoolTest {
  private static final VolumeId A = new VolumeId(VolumeId.Kind.INSTANCE, "a");
  private static final VolumeId B = new VolumeId(VolumeId.Kind.INSTANCE, "b");
  private static final VolumeId OLD = new VolumeId(VolumeId.Kind.SNAPSHOT, "old");
  private static final VolumeId NEW = new VolumeId(VolumeId.Kind.SNAPSHOT, "new");
  private static final DatasetName ROOT = new DatasetName("tank/data/stapes");
  private static final PoolSpec SPEC = PoolSpec.of("contract", "zfs").source("tank/data");

  @TempDir Path room;
  private Path directory;

  private final FakeZfs zfs = new FakeZfs();
  private final FakeHost host = zfs.host().build();
  private final Faults faults = new Faults();
  private StoragePool pool;

  @BeforeEach
  void create() throws IOException {
    directory = Files.createDirectory(room.resolve("pool"));
    pool = new ZfsProvider(Path.of("/")).create(faults.wrap(Host.class, host), SPEC, directory);
  }

  /** Another directory than that of the pool. */
  private Path empty() {
    try {
      return Files.createDirectories(room.resolve("other"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private List<String> commands(Runnable work) {
    int before = host.commands().size();
    work.run();
    return host.commands().stream()
        .skip(before)
        .map(command -> String.join(" ", command.arguments()))
        .toList();
  }

  private static Place place(VolumeId id) {
    return Place.of(ROOT.child(VolumeNames.component(id)));
  }

  @Test
  void a_volume_is_one_command() {
    assertEquals(
        List.of("zfs create tank/data/stapes/instances:a"), commands(() -> pool.create(A)));
    assertEquals(List.of(), commands(() -> pool.exists(A)));
    assertEquals(List.of(), commands(pool::list));
  }

  @Test
  void a_snapshot_is_one_command_and_so_is_its_clone() {
    pool.create(A);
    assertEquals(
        List.of("zfs snapshot tank/data/stapes/instances:a@snapshots:old"),
        commands(() -> pool.copy(A, OLD, true)));
    assertEquals(
        List.of(
            "zfs clone tank/data/stapes/instances:a@snapshots:old tank/data/stapes/instances:b"),
        commands(() -> pool.copy(OLD, B, false)));
  }

  @Test
  void snapshots_of_many_are_one_command_and_of_one_moment() {
    pool.create(A);
    pool.create(B);
    zfs.write(place(A), "a");
    zfs.write(place(B), "b");
    List<String> commands =
        commands(() -> pool.groupCopies().orElseThrow().copy(Map.of(A, OLD, B, NEW)));
    assertEquals(
        List.of(
            "zfs snapshot tank/data/stapes/instances:b@snapshots:new"
                + " tank/data/stapes/instances:a@snapshots:old"),
        commands);
    pool.copy(NEW, other(1), false);
    assertEquals("b", zfs.content(place(other(1))));
    assertEquals(Set.of(A, B, OLD, NEW, other(1)), pool.list());
  }

  @Test
  void a_group_that_cannot_be_copied_leaves_nothing() {
    pool.create(A);
    pool.create(B);
    GroupCopies group = pool.groupCopies().orElseThrow();
    refused(Kind.NOT_FOUND, () -> group.copy(Map.of(A, OLD, other(1), NEW)));
    pool.copy(A, OLD, true);
    refused(Kind.CONFLICT, () -> group.copy(Map.of(A, OLD, B, NEW)));
    refused(Kind.CONFLICT, () -> group.copy(Map.of(A, NEW, B, NEW)));
    assertEquals(Set.of(A, B, OLD), pool.list());
    group.copy(Map.of(OLD, NEW, B, other(2)));
    assertEquals(Set.of(A, B, OLD, NEW, other(2)), pool.list());
  }

  private static void refused(Kind kind, Executable work) {
    assertEquals(kind, assertThrows(StapesException.class, work).kind());
  }

  /** Somebody makes one of the targets after it was looked whether they are free. */
  @Test
  void a_group_that_cannot_be_copied_leaves_what_others_made_meanwhile() {
    pool.create(A);
    pool.copy(A, OLD, true);
    GroupCopies group = pool.groupCopies().orElseThrow();
    VolumeId others = new VolumeId(VolumeId.Kind.SNAPSHOT, "others");
    zfs.before("snapshot", () -> pool.copy(A, others, true));
    refused(Kind.CONFLICT, () -> group.copy(Map.of(A, NEW, OLD, others)));
    assertEquals(Set.of(A, OLD, others), pool.list());
  }

  @Test
  void a_block_volume_is_one_command_and_so_is_its_growth() {
    BlockVolumes blocks = pool.blockVolumes().orElseThrow();
    assertEquals(
        List.of("zfs create -s -b 16384 -V 1048576 tank/data/stapes/instances:a"),
        commands(() -> blocks.create(A, Size.ofBytes((1 << 20) - 5))));
    assertEquals(Optional.of(Size.ofMebibytes(1)), blocks.size(A));
    pool.copy(A, OLD, true);
    assertEquals(
        List.of("zfs set volsize=2097152 tank/data/stapes/instances:a"),
        commands(() -> blocks.grow(A, Size.ofMebibytes(2))));
    assertEquals(List.of(), commands(() -> blocks.grow(A, Size.ofMebibytes(2))));
    refused(Kind.INVALID, () -> blocks.grow(A, Size.ofMebibytes(1)));
    refused(Kind.INVALID, () -> blocks.create(B, Size.ofBytes(0)));
    refused(Kind.DENIED, () -> blocks.grow(OLD, Size.ofMebibytes(4)));
    refused(Kind.INVALID, () -> pool.attach(A, Optional.empty(), false));
    refused(Kind.INVALID, () -> pool.tree(A, Tree.Resolution.BENEATH));
    refused(
        Kind.INVALID, () -> pool.quotas().orElseThrow().limit(A, Optional.of(Size.ofMebibytes(8))));
    pool.copy(OLD, B, false);
    pool.close();
    pool = new ZfsProvider(Path.of("/")).open(host, SPEC, directory);
    assertEquals(Optional.of(Size.ofMebibytes(1)), pool.blockVolumes().orElseThrow().size(B));
    assertEquals(Optional.of(Size.ofMebibytes(2)), pool.blockVolumes().orElseThrow().size(A));
  }

  @Test
  void blocks_are_as_large_as_they_are_wanted() {
    pool.destroy();
    PoolSpec spec = SPEC.with("volume.zfs.blocksize", "1MiB");
    List<String> commands =
        commands(() -> pool = new ZfsProvider(Path.of("/")).create(host, spec, directory));
    assertTrue(
        commands.stream().anyMatch(command -> command.contains("-o recordsize=1048576 ")),
        "" + commands);
    commands = commands(() -> pool.blockVolumes().orElseThrow().create(A, Size.ofMebibytes(1)));
    assertEquals(
        List.of("zfs create -s -b 131072 -V 1048576 tank/data/stapes/instances:a"), commands);
  }

  @Test
  void a_limit_of_nothing_is_refused_and_not_taken_for_none() {
    pool.create(A);
    refused(Kind.INVALID, () -> pool.quotas().orElseThrow().limit(A, Optional.of(Size.ofBytes(0))));
  }

  @Test
  void who_is_interrupted_begins_no_command_and_what_has_begun_ends() {
    Thread.currentThread().interrupt();
    refused(Kind.INTERRUPTED, () -> pool.create(A));
    assertTrue(Thread.interrupted());
    assertEquals(Set.of(), pool.list());
  }

  @Test
  void to_discard_is_one_command_whatever_hangs_on_it() {
    pool.create(A);
    pool.copy(A, OLD, true);
    pool.copy(OLD, B, false);
    List<String> commands = commands(() -> pool.discard(A));
    assertEquals(1, commands.size(), commands.toString());
    assertTrue(
        commands.get(0).startsWith("zfs rename tank/data/stapes/instances:a "), "" + commands);
    assertEquals(Set.of(B, OLD), pool.list());
  }

  @Test
  void any_snapshot_is_restored_and_newer_ones_stay() {
    pool.create(A);
    zfs.write(place(A), "first");
    pool.copy(A, OLD, true);
    zfs.write(place(A), "second");
    pool.copy(A, NEW, true);
    zfs.write(place(A), "third");
    pool.copy(OLD, B, false);
    pool.discard(A);
    pool.reclaim();
    assertEquals(Set.of(B, OLD, NEW), pool.list());
    assertEquals("first", zfs.content(place(B)));
    pool.copy(NEW, A, false);
    assertEquals("second", zfs.content(place(A)));
  }

  @Test
  void what_was_written_after_the_last_snapshot_of_what_is_gone_is_freed() {
    pool.create(A);
    pool.copy(A, OLD, true);
    zfs.write(place(A), "much");
    pool.discard(A);
    List<String> commands = commands(pool::reclaim);
    assertEquals(
        1, commands.stream().filter(c -> c.startsWith("zfs rollback ")).count(), "" + commands);
    assertEquals(
        List.of(),
        commands(pool::reclaim).stream().filter(c -> !c.startsWith("zfs list")).toList());
  }

  @Test
  void what_is_written_to_all_the_same_is_taken_back_once() {
    pool.create(A);
    pool.copy(A, OLD, true);
    zfs.write(place(A), "much");
    zfs.keepChanged();
    pool.discard(A);
    assertEquals(
        1, commands(pool::reclaim).stream().filter(c -> c.startsWith("zfs rollback ")).count());
    assertEquals(
        List.of(),
        commands(pool::reclaim).stream().filter(c -> !c.startsWith("zfs list")).toList());
  }

  @Test
  void an_image_that_is_gone_goes_before_its_clones() {
    VolumeId image = new VolumeId(VolumeId.Kind.IMAGE, "i");
    pool.create(A);
    pool.copy(A, image, true);
    pool.copy(image, B, false);
    pool.discard(A);
    pool.discard(image);
    pool.reclaim();
    assertEquals(Set.of(B), pool.list());
    List<String> left = zfs.names().stream().filter(name -> name.contains("gone:")).toList();
    assertEquals(List.of(), left);
  }

  @Test
  void a_thousand_snapshots_are_destroyed_by_one_command() {
    pool.create(A);
    for (int i = 0; i < 1000; i++) {
      VolumeId id = new VolumeId(VolumeId.Kind.SNAPSHOT, "s" + i);
      pool.copy(A, id, true);
      pool.discard(id);
    }
    List<String> commands = commands(pool::reclaim);
    assertEquals(1, commands.stream().filter(c -> c.startsWith("zfs destroy ")).count());
    assertEquals(Set.of(A), pool.list());
  }

  @Test
  void a_snapshot_that_somebody_uses_does_not_hold_back_the_others() {
    pool.create(A);
    for (int i = 0; i < 100; i++) {
      pool.copy(A, new VolumeId(VolumeId.Kind.SNAPSHOT, "s" + i), true);
      pool.discard(new VolumeId(VolumeId.Kind.SNAPSHOT, "s" + i));
    }
    List<String> all = zfs.names().stream().filter(name -> name.contains("@")).toList();
    String used = all.get(37).substring(all.get(37).indexOf('@') + 1);
    zfs.use(used);
    List<String> commands = commands(pool::reclaim);
    assertTrue(commands.size() < 30, "" + commands.size());
    assertEquals(
        List.of(all.get(37)), zfs.names().stream().filter(name -> name.contains("@")).toList());
    zfs.free();
    pool.reclaim();
    assertTrue(zfs.names().stream().noneMatch(name -> name.contains("@")), "" + zfs.names());
  }

  @Test
  void each_operation_starts_few_processes_whatever_there_is() {
    pool.create(A);
    for (int i = 0; i < 200; i++) {
      pool.copy(A, new VolumeId(VolumeId.Kind.SNAPSHOT, "s" + i), true);
    }
    VolumeId image = new VolumeId(VolumeId.Kind.IMAGE, "i");
    assertEquals(1, commands(() -> pool.create(B)).size());
    assertEquals(1, commands(() -> pool.copy(B, image, true)).size());
    assertEquals(1, commands(() -> pool.copy(A, OLD, true)).size());
    assertEquals(2, commands(() -> pool.copy(A, other(0), false)).size(), "of what changes");
    assertEquals(100, commands(this::cloneHundred).size());
    assertEquals(2, commands(this::restore).size());
    assertEquals(1, commands(() -> pool.discard(OLD)).size());
    assertEquals(0, commands(() -> pool.exists(A)).size());
    assertEquals(1, commands(() -> pool.discard(B)).size());
  }

  private static VolumeId other(int i) {
    return new VolumeId(VolumeId.Kind.INSTANCE, "c" + i);
  }

  private void cloneHundred() {
    for (int i = 1; i <= 100; i++) {
      pool.copy(new VolumeId(VolumeId.Kind.IMAGE, "i"), other(i), false);
    }
  }

  /** As the engine does it: a copy under another id, and the old volume goes. */
  private void restore() {
    pool.copy(OLD, other(101), false);
    pool.discard(A);
  }

  @Test
  void a_snapshot_of_a_snapshot_is_another_volume() {
    pool.create(A);
    zfs.write(place(A), "first");
    pool.copy(A, OLD, true);
    pool.copy(OLD, NEW, true);
    pool.discard(OLD);
    pool.discard(A);
    pool.reclaim();
    assertEquals(Set.of(NEW), pool.list());
    pool.copy(NEW, B, false);
    assertEquals("first", zfs.content(place(B)));
  }

  @Test
  void a_command_that_failed_although_it_was_done_counts_as_done() {
    faults.failAfterNth(1);
    pool.create(A);
    faults.count();
    assertEquals(Set.of(A), pool.list());
    faults.failNth(1);
    assertThrows(StapesException.class, () -> pool.create(B));
    faults.count();
    assertEquals(Set.of(A), pool.list());
  }

  @Test
  void a_limit_is_a_refquota() {
    pool.create(A);
    assertEquals(
        List.of("zfs set refquota=8388608 tank/data/stapes/instances:a"),
        commands(() -> pool.quotas().orElseThrow().limit(A, Optional.of(Size.ofMebibytes(8)))));
    assertEquals(
        List.of("zfs set refquota=none tank/data/stapes/instances:a"),
        commands(() -> pool.quotas().orElseThrow().limit(A, Optional.empty())));
    pool.copy(A, OLD, true);
    StapesException error =
        assertThrows(
            StapesException.class,
            () -> pool.quotas().orElseThrow().limit(OLD, Optional.of(Size.ofMebibytes(8))));
    assertEquals(Kind.DENIED, error.kind());
  }

  @Test
  void a_source_that_has_something_is_refused() {
    StapesException error =
        assertThrows(
            StapesException.class, () -> new ZfsProvider(Path.of("/")).create(host, SPEC, empty()));
    assertEquals(Kind.CONFLICT, error.kind());
    assertEquals(Set.of(), HostLeftovers.filesBelow(empty()));
    error =
        assertThrows(
            StapesException.class,
            () -> new ZfsProvider(Path.of("/")).create(host, SPEC, directory));
    assertEquals(Kind.CONFLICT, error.kind());
    pool.create(A);
    assertEquals(Set.of(A), pool.list());
  }

  @Test
  void a_dataset_without_the_marker_is_not_opened() {
    StapesException error =
        assertThrows(
            StapesException.class,
            () ->
                new ZfsProvider(Path.of("/"))
                    .open(host, PoolSpec.of("other", "zfs").source("tank"), directory));
    assertEquals(Kind.UNAVAILABLE, error.kind());
  }

  @Test
  void a_destroyed_pool_leaves_the_dataset_that_it_was_given() {
    pool.create(A);
    pool.copy(A, OLD, true);
    pool.destroy();
    assertEquals(List.of("tank", "tank/data"), zfs.names());
  }

  @Test
  void what_is_left_in_a_zpool_that_is_not_there_now_is_swept_when_it_is() {
    pool.create(A);
    pool.close();
    Runnable bringBack = zfs.export();
    StapesException error =
        assertThrows(
            StapesException.class,
            () -> new ZfsProvider(Path.of("/")).sweep(host, SPEC, directory, Unfinished.REMOVAL));
    assertEquals(Kind.UNAVAILABLE, error.kind(), error::toString);
    bringBack.run();
    new ZfsProvider(Path.of("/")).sweep(host, SPEC, directory, Unfinished.REMOVAL);
    assertEquals(List.of("tank", "tank/data"), zfs.names());
    new ZfsProvider(Path.of("/")).sweep(host, SPEC, directory, Unfinished.REMOVAL);
  }

  @Test
  void keys_that_do_not_fit_the_source_are_refused() {
    for (PoolSpec spec :
        List.of(
            SPEC.size(Size.ofGibibytes(1)),
            SPEC.with("zfs.pool_name", "other"),
            PoolSpec.of("p", "zfs").source("tank/-r"),
            PoolSpec.of("p", "zfs").source("tank@a"),
            PoolSpec.of("p", "zfs").source("tank/none"),
            SPEC.with("volume.zfs.blocksize", "5KiB"),
            SPEC.with("volume.zfs.blocksize", "2MiB"),
            PoolSpec.of("p", "zfs").with("zfs.pool_name", "-f"),
            PoolSpec.of("p", "zfs").size(Size.ofMebibytes(1)),
            PoolSpec.of("p", "zfs").source("/dev/null"))) {
      StapesException error =
          assertThrows(
              StapesException.class,
              () -> new ZfsProvider(Path.of("/")).create(host, spec, empty()),
              spec::toString);
      assertEquals(Kind.INVALID, error.kind(), spec + ": " + error);
    }
    assertEquals(Set.of(), HostLeftovers.filesBelow(empty()));
  }

  @Test
  void datasets_are_given_to_no_container_and_who_asks_for_it_is_told_so() {
    PoolSpec spec = SPEC.with("volume.zfs.delegate", "true");
    refused(Kind.UNSUPPORTED, () -> new ZfsProvider(Path.of("/")).create(host, spec, empty()));
    assertEquals(Set.of(), HostLeftovers.filesBelow(empty()));
    pool.destroy();
    PoolSpec not = SPEC.with("volume.zfs.delegate", "false");
    new ZfsProvider(Path.of("/")).create(host, not, empty()).destroy();
  }
}
