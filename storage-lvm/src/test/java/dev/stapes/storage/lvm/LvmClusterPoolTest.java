package dev.stapes.storage.lvm;

import static dev.stapes.storage.lvm.RealLvmTests.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.PoolInfo;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Host;
import dev.stapes.spi.StorageDriverProvider.Unfinished;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.StoragePool.Attachment;
import dev.stapes.spi.Tree;
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

/** Two machines with one group, whose LVM is not there. */
class LvmClusterPoolTest {
  private static final VolumeId A = new VolumeId(VolumeId.Kind.INSTANCE, "a");
  private static final VolumeId B = new VolumeId(VolumeId.Kind.INSTANCE, "b");
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
  void each_machine_sees_what_the_other_one_made_and_discarded() {
    assertEquals(1, one.lvm().count());
    one.pool().create(A);
    assertEquals(Set.of(A), two.pool().list());
    assertTrue(two.pool().exists(A));
    two.pool().copy(A, SNAPSHOT, true);
    assertEquals(Set.of(A, SNAPSHOT), one.pool().list());
    refused(Kind.CONFLICT, () -> two.pool().create(A));
    two.pool().discard(A);
    assertFalse(one.pool().exists(A));
    two.pool().reclaim();
    assertEquals(2, one.lvm().count());
    nothingIsActive();
    assertEquals("lvmcluster", one.pool().info().driver());
    assertEquals(PoolInfo.Copies.PER_FILE, one.pool().copies());
    assertEquals(Optional.empty(), one.pool().sendReceive());
    assertEquals(Optional.empty(), one.pool().growable());
  }

  @Test
  void what_one_machine_uses_is_busy_on_the_other_until_it_lets_go() {
    one.pool().create(A);
    try (Attachment unused = one.pool().attach(A, Optional.empty(), false)) {
      for (Runnable attempt :
          List.<Runnable>of(
              () -> two.pool().attach(A, Optional.empty(), false).close(),
              () -> two.pool().tree(A, Tree.Resolution.BENEATH).close(),
              () -> two.pool().copy(A, B, false),
              () -> two.pool().discard(A))) {
        StapesException error = refused(Kind.BUSY, attempt::run);
        assertTrue(String.valueOf(error.getMessage()).contains("another machine"), "" + error);
      }
    }
    nothingIsActive();
    two.pool().attach(A, Optional.empty(), false).close();
    try (Tree tree = one.pool().tree(A, Tree.Resolution.BENEATH)) {
      tree.mkdir("etc", 0755);
      try (Tree below = tree.subtree("etc")) {
        tree.close();
        refused(Kind.BUSY, () -> two.pool().attach(A, Optional.empty(), false));
        assertEquals(Optional.empty(), below.stat("passwd"));
      }
    }
    two.pool().attach(A, Optional.empty(), true).close();
    nothingIsActive();
    assertEquals(Set.of(A), two.pool().list());
  }

  @Test
  void a_machine_that_is_killed_keeps_what_it_had_and_finds_it_again() {
    Faults faults = new Faults();
    try (LvmWorld third = new LvmWorld(directory, SPEC, faults, one.lvm().beside(3))) {
      third.pool().create(A);
      Attachment unused = third.pool().attach(A, Optional.empty(), false);
      third.crash(faults);
      refused(Kind.BUSY, () -> two.pool().attach(A, Optional.empty(), false));
      third.pool().attach(A, Optional.empty(), false).close();
      two.pool().attach(A, Optional.empty(), false).close();
      third.pool().destroy();
    }
    assertEquals(Set.of(A), one.pool().list());
  }

  @Test
  void of_two_that_make_one_volume_at_once_one_alone_has_it() {
    one.lvm().before(VolumeTags.id(A), () -> two.pool().create(A));
    StapesException error = refused(Kind.CONFLICT, () -> one.pool().create(A));
    assertTrue(String.valueOf(error.getMessage()).contains("same time"), error.toString());
    assertEquals(Set.of(A), one.pool().list());
    assertEquals(2, one.lvm().count());
  }

  /** Between its look and its lock another one was quicker. */
  @Test
  void who_comes_too_late_to_a_volume_is_told_so() {
    one.pool().create(A);
    two.lvm().before("ey", () -> one.pool().discard(A));
    refused(Kind.BUSY, () -> two.pool().attach(A, Optional.empty(), false));
    refused(Kind.NOT_FOUND, () -> two.pool().attach(A, Optional.empty(), false));
    nothingIsActive();
  }

  @Test
  void the_last_machine_that_leaves_removes_all() {
    one.pool().create(A);
    one.pool().create(B);
    one.pool().discard(B);
    one.pool().destroy();
    assertEquals(Set.of(), HostLeftovers.filesBelow(one.directory()));
    assertEquals(Set.of(A), two.pool().list());
    one.lvm().addPlain("others", Set.of("stapes.of=another"), 4 << 20);
    two.pool().destroy();
    assertEquals(1, one.lvm().count());
    assertEquals(Set.of(), HostLeftovers.filesBelow(two.directory()));
  }

  @Test
  void what_a_lost_machine_left_is_removed_by_another() {
    Faults faults = new Faults();
    try (LvmWorld third = new LvmWorld(directory, SPEC, faults, one.lvm().beside(3))) {
      third.pool().create(A);
      third.pool().discard(A);
      assertEquals(2, one.lvm().count());
      two.reopen();
      two.pool().reclaim();
      assertEquals(1, one.lvm().count());
    }
  }

  @Test
  void a_second_directory_of_one_machine_is_refused() throws IOException {
    FakeHost machine = LvmWorld.machine(one.lvm());
    Path other = Files.createDirectory(directory.resolve("other"));
    StapesException error = refused(Kind.CONFLICT, () -> provider().create(machine, SPEC, other));
    assertTrue(String.valueOf(error.getMessage()).contains(one.directory().toString()), "" + error);
    assertEquals(Set.of(), HostLeftovers.filesBelow(other));
    Files.copy(one.directory().resolve("thin-pool"), other.resolve("thin-pool"));
    refused(Kind.UNAVAILABLE, () -> provider().open(machine, SPEC, other));
    refused(Kind.CONFLICT, () -> provider().sweep(machine, SPEC, other, Unfinished.REMOVAL));
  }

  private static LvmClusterProvider provider() {
    return new LvmClusterProvider(Syscalls::system, sys -> LvmWorld.CONTENTS);
  }

  @Test
  void wherever_a_creation_dies_a_sweep_leaves_what_was_before() throws IOException {
    for (boolean first : new boolean[] {true, false}) {
      for (int n = 1; n <= 8; n++) {
        FakeLvm lvm = first ? new FakeLvm().beside(7) : one.lvm().beside(7);
        int before = lvm.count();
        Path own = Files.createDirectory(directory.resolve("dies-" + first + n));
        FakeHost machine = LvmWorld.machine(lvm);
        Faults faults = new Faults();
        faults.dieAtNth(n);
        try {
          provider().create(faults.wrap(Host.class, machine), SPEC, own).close();
        } catch (StapesException e) {
          assertFalse(String.valueOf(e.getMessage()).isEmpty());
        }
        faults.count();
        provider().sweep(machine, SPEC, own, Unfinished.REMOVAL);
        assertEquals(before, lvm.count(), "effect " + n);
        assertEquals(Set.of(), HostLeftovers.filesBelow(own), "effect " + n);
      }
    }
    assertTrue(two.pool().list().isEmpty());
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
