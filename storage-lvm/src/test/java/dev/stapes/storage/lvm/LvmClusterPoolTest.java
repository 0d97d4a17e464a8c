package dev.stapes.storage.lvm;

import static dev.stapes.storage.lvm.RealLvmTests.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.PoolInfo;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.StoragePool.Attachment;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.EffectScenario;
import dev.stapes.testkit.Faults;
import dev.stapes.testkit.HostLeftovers;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two machines with one group, whose LVM is not there: what each has, and what others have. */
class LvmClusterPoolTest {
  private static final VolumeId A = new VolumeId(VolumeId.Kind.INSTANCE, "a");
  private static final VolumeId B = new VolumeId(VolumeId.Kind.INSTANCE, "b");
  private static final VolumeId DISK = new VolumeId(VolumeId.Kind.CUSTOM, "disk");
  private static final VolumeId SNAPSHOT = new VolumeId(VolumeId.Kind.SNAPSHOT, "a.clean");
  private static final PoolSpec SPEC =
      PoolSpec.of("test", "lvmcluster").source(FakeLvm.GROUP).with("volume.size", "64MiB");

  private final Path directory;
  private final LvmWorld one;
  private final LvmWorld two;

  LvmClusterPoolTest(@TempDir Path directory) {
    this.directory = directory;
    this.one = new LvmWorld(directory, SPEC, new Faults());
    this.two = new LvmWorld(directory, SPEC, new Faults(), one.lvm().beside(2));
  }

  @AfterEach
  void close() {
    one.close();
    two.close();
  }

  private void nothingIsActive() {
    assertEquals(0, one.lvm().countActive());
    assertEquals(0, two.lvm().countActive());
  }

  @Test
  void each_machine_has_volumes_of_its_own_in_one_space() {
    assertEquals(1, one.lvm().count());
    one.pool().create(A);
    assertEquals(Set.of(), two.pool().list());
    assertFalse(two.pool().exists(A));
    refused(Kind.NOT_FOUND, () -> two.pool().copy(A, SNAPSHOT, true));
    two.pool().discard(A);
    two.pool().create(A);
    two.pool().copy(A, SNAPSHOT, true);
    two.pool().discard(A);
    two.pool().reclaim();
    assertEquals(Set.of(SNAPSHOT), two.pool().list());
    assertEquals(Set.of(A), one.pool().list());
    one.pool().attach(A, Optional.empty(), false).close();
    assertEquals(3, one.lvm().count());
    nothingIsActive();
    assertEquals("lvmcluster", one.pool().info().driver());
    assertEquals(PoolInfo.Copies.PER_FILE, one.pool().copies());
    assertEquals(Optional.empty(), one.pool().sendReceive());
    assertEquals(Optional.empty(), one.pool().growable());
  }

  @Test
  void a_volume_is_active_while_it_is_used() {
    one.pool().create(A);
    nothingIsActive();
    try (Tree tree = one.pool().tree(A, Tree.Resolution.BENEATH)) {
      tree.mkdir("etc", 0755);
      try (Tree below = tree.subtree("etc")) {
        tree.close();
        assertEquals(1, one.lvm().countActive());
        assertEquals(Optional.empty(), below.stat("passwd"));
      }
    }
    one.pool().attach(A, Optional.empty(), true).close();
    nothingIsActive();
  }

  @Test
  void a_machine_that_is_killed_keeps_what_it_had_until_it_opens_the_pool_again() {
    Faults faults = new Faults();
    try (LvmWorld third = new LvmWorld(directory, SPEC, faults, one.lvm().beside(3))) {
      third.pool().create(A);
      Attachment unused = third.pool().attach(A, Optional.empty(), false);
      assertEquals(1, third.mounted().size());
      third.crash(faults);
      assertEquals(List.of(), third.mounted());
      third.pool().reclaim();
      assertEquals(0, third.lvm().countActive());
      assertEquals(Set.of(A), third.pool().list());
      third.pool().attach(A, Optional.empty(), false).close();
      third.pool().destroy();
    }
    assertEquals(1, one.lvm().count());
  }

  /** What was a draft when the pool was opened is a volume now. */
  @Test
  void what_another_machine_was_making_at_the_time_of_opening_is_not_removed() {
    one.lvm().before(VolumeTags.id(A), two::reopen);
    one.pool().create(A);
    two.pool().reclaim();
    one.pool().attach(A, Optional.empty(), false).close();
    assertEquals(2, one.lvm().count());
  }

  /** Between its look and its lock another one was quicker. */
  @Test
  void who_comes_too_late_to_a_volume_is_told_so() {
    one.pool().create(A);
    one.lvm().before("ey", () -> two.takeOver(one.owner(), A, B));
    refused(Kind.BUSY, () -> one.pool().attach(A, Optional.empty(), false));
    refused(Kind.NOT_FOUND, () -> one.pool().attach(A, Optional.empty(), false));
    assertEquals(Set.of(B), two.pool().list());
    nothingIsActive();
  }

  @Test
  void trash_that_is_another_machines_by_now_is_left_alone() {
    one.pool().create(A);
    String name = one.lvm().named(VolumeTags.id(A));
    one.pool().discard(A);
    one.lvm(
        "lvchange",
        "--deltag",
        VolumeTags.owner(one.owner()),
        "--addtag",
        VolumeTags.owner(two.owner()),
        FakeLvm.GROUP + "/" + name);
    one.pool().reclaim();
    assertEquals(2, one.lvm().count());
    two.reopen();
    two.pool().reclaim();
    assertEquals(1, one.lvm().count());
  }

  @Test
  void who_leaves_removes_its_volumes_and_the_last_one_the_pool() {
    one.pool().create(A);
    two.pool().create(B);
    one.pool().discard(A);
    one.pool().create(A);
    one.pool().destroy();
    assertEquals(Set.of(), HostLeftovers.filesBelow(one.directory()));
    assertEquals(Set.of(B), two.pool().list());
    assertEquals(2, one.lvm().count());
    one.lvm().addPlain("others", Set.of("stapes.of=another"), 4 << 20);
    two.pool().destroy();
    assertEquals(1, one.lvm().count());
    assertEquals(Set.of(), HostLeftovers.filesBelow(two.directory()));
  }

  @Test
  void a_destroy_that_failed_leaves_a_pool_that_lets_go_of_devices() throws Exception {
    int n = 0;
    boolean failed;
    do {
      n++;
      Faults faults = new Faults();
      try (LvmWorld world = new LvmWorld(directory, SPEC, faults)) {
        world.pool().create(A);
        try (Attachment unused = world.pool().attach(A, Optional.empty(), true)) {
          faults.dieAtNth(n);
          failed = fails(() -> world.pool().destroy());
          faults.count();
          if (failed && world.pool().exists(A)) {
            world.pool().attach(A, Optional.empty(), true).close();
          }
        }
        if (failed) {
          world.pool().reclaim();
        }
        assertEquals(0, world.lvm().countActive(), "effect " + n);
        assertEquals(List.of(), world.mounted(), "effect " + n);
      }
    } while (failed);
    assertTrue(n > 5, "effects: " + n);
  }

  /** Between what is a helper's and what is the volume's they are nobody's. */
  @Test
  void extents_that_another_machine_had_while_a_volume_grew_are_made_zeros_again() {
    one.pool().blockVolumes().orElseThrow().create(DISK, Size.ofMebibytes(8));
    String name = one.lvm().named(VolumeTags.id(DISK));
    one.zeroed().clear();
    one.pool().blockVolumes().orElseThrow().grow(DISK, Size.ofMebibytes(16));
    assertEquals(1, one.zeroed().size());
    assertFalse(one.zeroed().get(0).contains(name));
    one.lvm()
        .before(
            "lvextend",
            () -> {
              two.pool().create(A);
              two.pool().discard(A);
              two.pool().reclaim();
            });
    one.pool().blockVolumes().orElseThrow().grow(DISK, Size.ofMebibytes(20));
    assertEquals(3, one.zeroed().size());
    assertEquals(name + " from " + (16 << 20), one.zeroed().get(2));
    assertEquals(
        Optional.of(Size.ofMebibytes(20)), one.pool().blockVolumes().orElseThrow().size(DISK));
    nothingIsActive();
  }

  /** Nobody is told of what is not zeros for sure. */
  @Test
  void a_block_volume_that_fails_to_grow_beside_another_machine_is_as_it_was() throws Exception {
    EffectScenario<LvmWorld> growth =
        LvmWorld.scenario(
            directory,
            SPEC,
            pool -> pool.blockVolumes().orElseThrow().create(DISK, Size.ofMebibytes(8)),
            pool -> pool.blockVolumes().orElseThrow().grow(DISK, Size.ofMebibytes(16)));
    assertTrue(growth.forEveryEffect() >= 8);
  }

  @Test
  void what_could_not_be_made_nor_removed_lets_go_of_its_device() {
    everythingIsLetGo(pool -> pool.create(B));
    everythingIsLetGo(pool -> pool.copy(A, B, true));
  }

  private void everythingIsLetGo(Consumer<StoragePool> action) {
    int n = 0;
    boolean failed;
    do {
      n++;
      Faults faults = new Faults();
      try (LvmWorld world = new LvmWorld(directory, SPEC, faults)) {
        world.pool().create(A);
        faults.dieAtNth(n);
        failed = fails(() -> action.accept(world.pool()));
        faults.count();
        world.pool().reclaim();
        assertEquals(0, world.lvm().countActive(), "effect " + n);
        assertEquals(List.of(), world.mounted(), "effect " + n);
      }
    } while (failed);
    assertTrue(n > 7, "effects: " + n);
  }

  private static boolean fails(Runnable work) {
    try {
      work.run();
      return false;
    } catch (StapesException e) {
      return true;
    }
  }

  @Test
  void who_waits_for_one_volume_keeps_nobody_from_another() throws Exception {
    one.pool().create(A);
    one.pool().create(B);
    CountDownLatch reached = new CountDownLatch(1);
    CountDownLatch released = new CountDownLatch(1);
    String path = FakeLvm.GROUP + "/" + one.lvm().named(VolumeTags.id(A));
    one.lvm()
        .before(
            path,
            () -> {
              reached.countDown();
              await(released);
            });
    ExecutorService other = Executors.newSingleThreadExecutor();
    try {
      Future<?> first = other.submit(() -> one.pool().attach(A, Optional.empty(), false).close());
      await(reached);
      one.pool().attach(B, Optional.empty(), false).close();
      assertFalse(first.isDone());
      released.countDown();
      assertNull(first.get());
    } finally {
      released.countDown();
      other.shutdown();
    }
    nothingIsActive();
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void a_failed_change_leaves_the_pool_as_it_was() throws Exception {
    assertTrue(scenario(pool -> pool.create(B)).forEveryEffect() >= 8);
    assertTrue(scenario(pool -> pool.copy(A, B, true)).forEveryEffect() >= 10);
    assertTrue(scenario(pool -> pool.discard(A)).forEveryEffect() >= 4);
  }

  private EffectScenario<LvmWorld> scenario(Consumer<StoragePool> action) {
    return LvmWorld.scenario(directory, SPEC, pool -> pool.create(A), action);
  }
}
