package dev.stapes.storage.lvm;

import static dev.stapes.storage.lvm.RealLvmTests.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.PoolInfo;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Host;
import dev.stapes.spi.StorageDriverProvider.Unfinished;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.EffectScenario;
import dev.stapes.testkit.FakeHost;
import dev.stapes.testkit.Faults;
import dev.stapes.testkit.HostLeftovers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a pool without a thin pool makes LVM do, with one that is not there. */
class LvmPlainPoolTest {
  private static final VolumeId A = new VolumeId(VolumeId.Kind.INSTANCE, "a");
  private static final VolumeId B = new VolumeId(VolumeId.Kind.INSTANCE, "b");
  private static final VolumeId SNAPSHOT = new VolumeId(VolumeId.Kind.SNAPSHOT, "a.clean");
  private static final PoolSpec SPEC =
      LvmWorld.SPEC.with("lvm.use_thinpool", "false").with("volume.size", "64MiB");

  private final Path directory;
  private final LvmWorld world;

  LvmPlainPoolTest(@TempDir Path directory) {
    this.directory = directory;
    this.world = new LvmWorld(directory, SPEC, new Faults());
  }

  @AfterEach
  void close() {
    world.close();
  }

  private StoragePool pool() {
    return world.pool();
  }

  private List<String> lvcreate() {
    return world.commands("lvm lvcreate");
  }

  @Test
  void there_is_no_thin_pool_and_a_volume_takes_all_of_its_size_at_once() {
    assertEquals(1, world.lvm().count());
    assertEquals(Size.ofGibibytes(1), pool().info().total());
    assertEquals(Size.ofMebibytes(4), pool().info().used());
    assertEquals(PoolInfo.Copies.PER_FILE, pool().copies());
    pool().create(A);
    assertEquals(Size.ofMebibytes(68), pool().info().used());
    pool().discard(A);
    assertEquals(Size.ofMebibytes(68), pool().info().used());
    pool().reclaim();
    assertEquals(Size.ofMebibytes(4), pool().info().used());
    assertTrue(lvcreate().stream().noneMatch(line -> line.contains("thin")), "" + lvcreate());
  }

  /** Others would take the pool's own volume for what was on its extent. */
  @Test
  void what_bears_the_mark_is_wiped() {
    String made = lvcreate().get(0);
    assertTrue(made.contains(" --wipesignatures y --zero y "), made);
  }

  @Test
  void a_copy_has_no_device_before_somebody_looks_at_it() {
    pool().create(A);
    long active = world.lvm().countActive();
    pool().copy(A, SNAPSHOT, true);
    assertEquals(active, world.lvm().countActive());
  }

  @Test
  void where_the_usual_size_is_too_large_the_key_for_another_one_is_named() throws IOException {
    Path own = Files.createDirectory(directory.resolve("own"));
    PoolSpec spec = LvmWorld.SPEC.with("lvm.use_thinpool", "false");
    FakeHost machine = LvmWorld.machine(new FakeLvm());
    try (StoragePool small = LvmWorld.provider().create(machine, spec, own)) {
      StapesException error = refused(Kind.EXHAUSTED, () -> small.create(A));
      assertTrue(String.valueOf(error.getMessage()).contains("volume.size"), error.toString());
      StapesException large =
          refused(
              Kind.EXHAUSTED,
              () -> small.blockVolumes().orElseThrow().create(A, Size.ofGibibytes(20)));
      assertFalse(String.valueOf(large.getMessage()).contains("volume.size"), large.toString());
    }
  }

  @Test
  void a_copy_is_made_of_a_snapshot_that_is_gone_afterwards() {
    pool().create(A);
    int before = lvcreate().size();
    pool().copy(A, SNAPSHOT, true);
    List<String> made = lvcreate().subList(before, lvcreate().size());
    assertEquals(2, made.size(), made.toString());
    assertTrue(made.get(0).contains("--type linear"), made.toString());
    assertTrue(made.get(1).contains("--snapshot"), made.toString());
    assertTrue(made.get(1).contains(VolumeTags.MOMENT), made.toString());
    assertEquals(3, world.lvm().count());
    world.reopen();
    assertEquals(Set.of(A, SNAPSHOT), pool().list());
    pool().reclaim();
    assertEquals(3, world.lvm().count());
  }

  @Test
  void where_the_group_has_no_room_nothing_is_made() {
    pool().create(A);
    world.lvm().addPlain("others", Set.of("somebody's"), 860L << 20);
    pool().create(B);
    int before = lvcreate().size();
    StapesException error = refused(Kind.EXHAUSTED, () -> pool().copy(A, SNAPSHOT, true));
    assertTrue(String.valueOf(error.getMessage()).contains("at once"), error.toString());
    VolumeId other = new VolumeId(VolumeId.Kind.CUSTOM, "c");
    refused(Kind.EXHAUSTED, () -> pool().create(other));
    refused(
        Kind.EXHAUSTED,
        () -> pool().blockVolumes().orElseThrow().create(other, Size.ofGibibytes(2)));
    assertEquals(before, lvcreate().size());
    assertEquals(Set.of(A, B), pool().list());
    pool().discard(B);
    pool().reclaim();
    pool().create(other);
  }

  /** What is copied then would be another one. */
  @Test
  void a_source_that_is_discarded_while_it_is_copied_stays_until_that_has_ended() {
    pool().create(A);
    world
        .lvm()
        .before(
            VolumeTags.MOMENT,
            () -> {
              pool().discard(A);
              pool().reclaim();
              assertEquals(3, world.lvm().count());
            });
    pool().copy(A, B, false);
    pool().reclaim();
    assertEquals(Set.of(B), pool().list());
    assertEquals(2, world.lvm().count());
  }

  @Test
  void what_a_volume_grows_by_is_made_zeros_as_another_one_before() {
    StoragePool.BlockVolumes blocks = pool().blockVolumes().orElseThrow();
    blocks.create(A, Size.ofMebibytes(7));
    assertEquals(Optional.of(Size.ofMebibytes(8)), blocks.size(A));
    int before = world.lvm().count();
    blocks.grow(A, Size.ofMebibytes(18));
    assertEquals(Optional.of(Size.ofMebibytes(20)), blocks.size(A));
    assertEquals(before, world.lvm().count());
    List<String> grown = world.commands("lvm lvextend");
    assertEquals(1, grown.size());
    assertTrue(grown.get(0).contains(" --size 20480k "), grown.toString());
    assertTrue(grown.get(0).endsWith(" /dev/fake:7-9"), grown.toString());
    refused(Kind.EXHAUSTED, () -> blocks.grow(A, Size.ofGibibytes(3)));
    world.reopen();
    assertEquals(Optional.of(Size.ofMebibytes(20)), pool().blockVolumes().orElseThrow().size(A));
  }

  @Test
  void a_failed_create_leaves_the_pool_as_it_was() throws Exception {
    assertTrue(scenario(pool -> pool.create(B)).forEveryEffect() >= 5);
    assertTrue(
        scenario(pool -> pool.blockVolumes().orElseThrow().create(B, Size.ofMebibytes(8)))
                .forEveryEffect()
            >= 3);
  }

  @Test
  void a_failed_copy_leaves_the_pool_as_it_was() throws Exception {
    assertTrue(scenario(pool -> pool.copy(A, B, true)).forEveryEffect() >= 6);
  }

  @Test
  void a_failed_discard_leaves_the_pool_as_it_was() throws Exception {
    assertTrue(scenario(pool -> pool.discard(A)).forEveryEffect() >= 2);
  }

  @Test
  void a_block_volume_that_fails_to_grow_is_as_it_was() throws Exception {
    VolumeId disk = new VolumeId(VolumeId.Kind.CUSTOM, "disk");
    assertTrue(
        scenario(
                    pool -> pool.blockVolumes().orElseThrow().create(disk, Size.ofMebibytes(8)),
                    pool -> pool.blockVolumes().orElseThrow().grow(disk, Size.ofMebibytes(16)))
                .forEveryEffect()
            >= 6);
  }

  /** What a copy is made of keeps what it is a copy of from being removed, and so goes first. */
  @Test
  void after_a_crash_anywhere_a_copy_is_whole_or_trash() {
    int whole = 0;
    int gone = 0;
    for (int n = 1; n <= 12; n++) {
      Faults faults = new Faults();
      try (LvmWorld other = new LvmWorld(directory, SPEC, faults)) {
        other.pool().create(A);
        faults.dieAtNth(n);
        boolean done = attempt(() -> other.pool().copy(A, B, false));
        other.crash(faults);
        other.pool().reclaim();
        if (other.pool().exists(B)) {
          whole++;
        } else {
          gone++;
          assertFalse(done, "killed at " + n);
        }
        assertEquals(other.pool().exists(B) ? 3 : 2, other.lvm().count(), "killed at " + n);
        other.pool().discard(A);
        other.pool().discard(B);
        other.pool().reclaim();
        assertEquals(1, other.lvm().count(), "killed at " + n);
      }
    }
    assertTrue(whole > 0 && gone > 4, whole + " whole, " + gone + " gone");
  }

  @Test
  void wherever_a_creation_dies_a_sweep_leaves_nothing() throws IOException {
    for (int n = 1; n <= 8; n++) {
      Faults faults = new Faults();
      FakeLvm lvm = new FakeLvm();
      FakeHost machine = LvmWorld.machine(lvm);
      Path own = Files.createDirectory(directory.resolve("dies-" + n));
      faults.dieAtNth(n);
      boolean unused =
          attempt(
              () ->
                  LvmWorld.provider().create(faults.wrap(Host.class, machine), SPEC, own).close());
      faults.count();
      LvmWorld.provider().sweep(machine, SPEC, own, Unfinished.REMOVAL);
      assertEquals(0, lvm.count(), "effect " + n);
      assertEquals(Set.of(), HostLeftovers.filesBelow(own), "effect " + n);
    }
  }

  @Test
  void a_destroyed_pool_leaves_what_others_have_in_the_group() {
    world.lvm().addPlain("others", Set.of("stapes.of=another"), 4 << 20);
    pool().create(A);
    pool().copy(A, SNAPSHOT, true);
    pool().discard(A);
    pool().destroy();
    assertEquals(1, world.lvm().count());
    assertEquals(Set.of(), HostLeftovers.filesBelow(world.directory()));
  }

  @Test
  void a_pool_that_was_made_in_the_other_way_is_not_opened() {
    FakeHost machine = LvmWorld.machine(new FakeLvm());
    PoolSpec thin = LvmWorld.SPEC.size(Size.ofMebibytes(256));
    asMade(machine, thin, SPEC);
    asMade(LvmWorld.machine(new FakeLvm()), SPEC, thin);
  }

  private void asMade(FakeHost machine, PoolSpec made, PoolSpec opened) {
    Path own;
    try {
      own = Files.createTempDirectory(directory, "own");
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    LvmWorld.provider().create(machine, made, own).close();
    StapesException error =
        refused(Kind.INVALID, () -> LvmWorld.provider().open(machine, opened, own));
    assertTrue(String.valueOf(error.getMessage()).contains("use_thinpool"), error.toString());
    LvmWorld.provider().open(machine, made, own).destroy();
  }

  @Test
  void what_is_said_of_a_thin_pool_is_refused_without_one() throws IOException {
    FakeHost machine = LvmWorld.machine(new FakeLvm());
    Path own = Files.createDirectory(directory.resolve("own"));
    for (PoolSpec spec :
        List.of(
            SPEC.with("lvm.thinpool_max_size", "1GiB"),
            SPEC.with("lvm.thinpool_metadata_size", "8MiB"),
            SPEC.size(Size.ofMebibytes(256)))) {
      StapesException error =
          refused(Kind.INVALID, () -> LvmWorld.provider().create(machine, spec, own));
      assertTrue(String.valueOf(error.getMessage()).contains("thin pool"), error.toString());
    }
    assertEquals(Set.of(), HostLeftovers.filesBelow(own));
    assertEquals(Optional.empty(), pool().growable());
  }

  private static boolean attempt(Runnable work) {
    try {
      work.run();
      return true;
    } catch (RuntimeException e) {
      return false;
    }
  }

  private EffectScenario<LvmWorld> scenario(Consumer<StoragePool> action) {
    return scenario(pool -> {}, action);
  }

  private EffectScenario<LvmWorld> scenario(
      Consumer<StoragePool> before, Consumer<StoragePool> action) {
    return LvmWorld.scenario(
        directory,
        SPEC,
        pool -> {
          pool.create(A);
          before.accept(pool);
        },
        action);
  }
}
