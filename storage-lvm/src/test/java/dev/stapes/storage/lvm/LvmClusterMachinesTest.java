package dev.stapes.storage.lvm;

import static dev.stapes.storage.lvm.RealLvmTests.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Host;
import dev.stapes.spi.StorageDriverProvider.Unfinished;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.StoragePool.Attachment;
import dev.stapes.spi.VolumeId;
import dev.stapes.storage.lvm.LvmClusterProvider.Other;
import dev.stapes.testkit.FakeHost;
import dev.stapes.testkit.Faults;
import dev.stapes.testkit.HostLeftovers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How machines come into a group that they share, leave it, get lost, and are succeeded. */
class LvmClusterMachinesTest {
  private static final VolumeId A = new VolumeId(VolumeId.Kind.INSTANCE, "a");
  private static final VolumeId B = new VolumeId(VolumeId.Kind.INSTANCE, "b");
  private static final VolumeId DISK = new VolumeId(VolumeId.Kind.CUSTOM, "disk");
  private static final VolumeId OTHER = new VolumeId(VolumeId.Kind.CUSTOM, "other");
  private static final VolumeId COPY = new VolumeId(VolumeId.Kind.CUSTOM, "copy");
  private static final VolumeId SNAPSHOT = new VolumeId(VolumeId.Kind.SNAPSHOT, "a.clean");
  private static final String MARK_FILE = "thin-pool";
  private static final PoolSpec SPEC =
      PoolSpec.of("test", "lvmcluster").source(FakeLvm.GROUP).with("volume.size", "64MiB");

  private final Path directory;
  private final LvmWorld one;
  private final LvmWorld two;

  LvmClusterMachinesTest(@TempDir Path directory) {
    this.directory = directory;
    this.one = new LvmWorld(directory, SPEC, new Faults());
    this.two = new LvmWorld(directory, SPEC, new Faults(), one.lvm().beside(2));
  }

  @AfterEach
  void close() {
    one.close();
    two.close();
  }

  private static LvmClusterProvider provider() {
    return new LvmClusterProvider(Syscalls::system, LvmWorld.kernel(), sys -> LvmWorld.CONTENTS);
  }

  @Test
  void a_second_directory_of_one_machine_is_refused() throws IOException {
    FakeHost machine = LvmWorld.machine(one.lvm());
    Path other = Files.createDirectory(directory.resolve("other"));
    StapesException error = refused(Kind.CONFLICT, () -> provider().create(machine, SPEC, other));
    assertTrue(String.valueOf(error.getMessage()).contains(one.directory().toString()), "" + error);
    assertEquals(Set.of(), HostLeftovers.filesBelow(other));
    Files.copy(one.directory().resolve(MARK_FILE), other.resolve(MARK_FILE));
    refused(Kind.UNAVAILABLE, () -> provider().open(machine, SPEC, other));
    refused(Kind.CONFLICT, () -> provider().sweep(machine, SPEC, other, Unfinished.REMOVAL));
  }

  @Test
  void a_copy_of_a_machine_has_not_its_volumes() throws IOException {
    one.pool().create(A);
    Path copy = Files.createDirectory(directory.resolve("copy"));
    Files.copy(one.directory().resolve(MARK_FILE), copy.resolve(MARK_FILE));
    FakeHost machine = LvmWorld.machine(one.lvm().beside(5));
    StapesException error = refused(Kind.UNAVAILABLE, () -> provider().open(machine, SPEC, copy));
    assertTrue(String.valueOf(error.getMessage()).contains("machine 1"), error.toString());
    refused(Kind.UNAVAILABLE, () -> provider().sweep(machine, SPEC, copy, Unfinished.REMOVAL));
    assertEquals(Set.of(A), one.pool().list());
  }

  @Test
  void wherever_a_creation_dies_a_sweep_leaves_what_was_before() throws IOException {
    two.pool().create(A);
    for (boolean first : new boolean[] {true, false}) {
      int n = 0;
      while (dies(first, n + 1)) {
        n++;
      }
      assertTrue(n > 3, "effects: " + n);
    }
    assertEquals(Set.of(A), two.pool().list());
  }

  /** Whether a creation has so many effects. */
  private boolean dies(boolean first, int n) throws IOException {
    FakeLvm lvm = first ? new FakeLvm().beside(7) : one.lvm().beside(7);
    int before = lvm.count();
    Path own = Files.createDirectory(directory.resolve("dies-" + first + n));
    FakeHost machine = LvmWorld.machine(lvm);
    Faults faults = new Faults();
    faults.dieAtNth(n);
    boolean died = false;
    try {
      provider().create(faults.wrap(Host.class, machine), SPEC, own).close();
    } catch (StapesException e) {
      died = true;
    }
    faults.count();
    provider().sweep(machine, SPEC, own, Unfinished.REMOVAL);
    assertEquals(before, lvm.count(), "effect " + n);
    assertEquals(Set.of(), HostLeftovers.filesBelow(own), "effect " + n);
    return died;
  }

  /** Of the directories that have it, none is said any more. */
  @Test
  void who_was_never_in_the_pool_does_not_end_it() throws IOException {
    one.pool().create(A);
    for (LvmWorld world : List.of(one, two)) {
      world.lvm("lvchange", "--deltag", world.placement().tag(), FakeLvm.GROUP + "/stapes_pool");
    }
    Path own = Files.createDirectory(directory.resolve("new"));
    String mark = Files.readString(one.directory().resolve(MARK_FILE));
    Files.writeString(own.resolve(MARK_FILE), mark.replace(one.owner(), LvmNames.fresh()));
    FakeHost machine = LvmWorld.machine(one.lvm().beside(3));
    provider().sweep(machine, SPEC, own, Unfinished.CREATION);
    assertEquals(2, one.lvm().count());
    one.reopen();
    assertEquals(Set.of(A), one.pool().list());
  }

  @Test
  void of_two_that_make_the_pool_at_once_both_have_it() throws IOException {
    for (String moment : List.of(SharedBacking.MARK, VolumeGroup.FIELDS)) {
      FakeLvm lvm = new FakeLvm();
      FakeHost first = LvmWorld.machine(lvm);
      FakeHost second = LvmWorld.machine(lvm.beside(2));
      Path here = Files.createDirectories(directory.resolve(moment).resolve("here"));
      Path there = Files.createDirectories(directory.resolve(moment).resolve("there"));
      lvm.before(moment, () -> provider().create(second, SPEC, there).close());
      provider().create(first, SPEC, here).close();
      StoragePool pool = provider().open(first, SPEC, here);
      StoragePool other = provider().open(second, SPEC, there);
      pool.create(A);
      assertEquals(Set.of(), other.list());
      pool.destroy();
      assertEquals(1, lvm.count());
      other.destroy();
      assertEquals(0, lvm.count());
    }
  }

  @Test
  void a_volume_is_taken_over_from_who_does_not_use_it() {
    one.pool().create(A);
    try (Attachment unused = one.pool().attach(A, Optional.empty(), false)) {
      StapesException error = refused(Kind.BUSY, () -> two.takeOver(one.owner(), A, A));
      assertTrue(String.valueOf(error.getMessage()).contains("another machine"), "" + error);
    }
    assertEquals(
        List.of(new Other(one.owner(), Optional.of("1:" + one.directory()), Set.of(A))),
        two.others());
    two.takeOver(one.owner(), A, A);
    assertEquals(Set.of(A), two.pool().list());
    assertEquals(Set.of(), one.pool().list());
    refused(Kind.NOT_FOUND, () -> two.takeOver(one.owner(), A, A));
    two.pool().attach(A, Optional.empty(), false).close();
    one.pool().create(A);
    assertEquals(3, one.lvm().count());
    assertEquals(0, two.lvm().countActive());
  }

  @Test
  void what_is_taken_over_takes_the_place_of_a_volume_that_nobody_uses() {
    one.pool().create(A);
    two.pool().create(B);
    try (Attachment unused = two.pool().attach(B, Optional.empty(), false)) {
      refused(Kind.BUSY, () -> two.takeOver(one.owner(), A, B));
    }
    String name = one.lvm().named(VolumeTags.id(A));
    two.takeOver(one.owner(), A, B);
    assertEquals(Set.of(B), two.pool().list());
    two.pool().reclaim();
    assertEquals(name, two.lvm().named(VolumeTags.id(B)));
    assertEquals(2, one.lvm().count());
    two.pool().attach(B, Optional.empty(), false).close();
  }

  @Test
  void a_volume_takes_the_place_of_its_own_kind_alone() {
    one.pool().create(A);
    one.pool().copy(A, SNAPSHOT, true);
    two.pool().create(B);
    two.pool().blockVolumes().orElseThrow().create(DISK, Size.ofMebibytes(4));
    refused(Kind.INVALID, () -> two.takeOver(one.owner(), A, DISK));
    refused(Kind.INVALID, () -> two.takeOver(one.owner(), SNAPSHOT, B));
    refused(Kind.NOT_FOUND, () -> two.takeOver(one.owner(), B, B));
    refused(Kind.NOT_FOUND, () -> two.takeOver(LvmNames.fresh(), A, A));
    assertEquals(Set.of(A, SNAPSHOT), one.pool().list());
    assertEquals(Set.of(B, DISK), two.pool().list());
  }

  /** What was copied when its machine died has a snapshot, and would never grow. */
  @Test
  void what_a_copy_that_was_cut_short_left_on_a_volume_goes_before_it_is_taken_over() {
    int left = 0;
    for (int n = 1; n <= 12; n++) {
      Faults faults = new Faults();
      try (LvmWorld third = new LvmWorld(directory, SPEC, faults, one.lvm().beside(3))) {
        third.pool().blockVolumes().orElseThrow().create(DISK, Size.ofMebibytes(4));
        third.pool().blockVolumes().orElseThrow().create(OTHER, Size.ofMebibytes(4));
        faults.dieAtNth(n);
        attempt(() -> third.pool().copy(DISK, COPY, false));
        third.lvm().lose();
        left += third.lvm().countWith(VolumeTags.MOMENT) > 0 ? 1 : 0;
        two.takeOver(third.owner(), OTHER, OTHER);
        two.takeOver(third.owner(), DISK, DISK);
        assertEquals(0, third.lvm().countWith(VolumeTags.MOMENT), "killed at " + n);
        two.pool().blockVolumes().orElseThrow().grow(DISK, Size.ofMebibytes(8));
        faults.count();
        third.pool().destroy();
      }
      two.pool().discard(DISK);
      two.pool().discard(OTHER);
      two.pool().reclaim();
      assertEquals(1, one.lvm().count(), "killed at " + n);
    }
    assertTrue(left > 0, "no copy was cut short");
  }

  private static boolean attempt(Runnable work) {
    try {
      work.run();
      return true;
    } catch (RuntimeException e) {
      return false;
    }
  }

  @Test
  void a_snapshot_that_somebody_else_has_made_is_not_removed() {
    one.pool().blockVolumes().orElseThrow().create(DISK, Size.ofMebibytes(4));
    String path = FakeLvm.GROUP + "/" + one.lvm().named(VolumeTags.id(DISK));
    one.lvm("lvcreate", "--snapshot", "--size", "4096k", "--name", "backup", path);
    two.takeOver(one.owner(), DISK, DISK);
    assertEquals(3, one.lvm().count());
  }

  @Test
  void a_takeover_that_was_killed_anywhere_is_made_again() {
    int n = 0;
    boolean done;
    do {
      n++;
      left(one);
      String lost = one.owner();
      Faults faults = new Faults();
      try (LvmWorld third = new LvmWorld(directory, SPEC, faults, one.lvm().beside(3))) {
        faults.dieAtNth(n);
        done = attempt(() -> third.takeOver(lost, DISK, DISK));
        faults.count();
        if (!third.pool().exists(DISK)) {
          third.takeOver(lost, DISK, DISK);
        }
        third.pool().blockVolumes().orElseThrow().grow(DISK, Size.ofMebibytes(8));
        assertEquals(0, one.lvm().countWith(VolumeTags.MOMENT), "killed at " + n);
        third.pool().destroy();
      }
    } while (!done);
    assertTrue(n > 4, "effects: " + n);
  }

  /** As a copy leaves it. */
  private static void left(LvmWorld world) {
    world.pool().blockVolumes().orElseThrow().create(DISK, Size.ofMebibytes(4));
    String path = FakeLvm.GROUP + "/" + world.lvm().named(VolumeTags.id(DISK));
    PoolVolumes volumes = world.volumes();
    new PlainVolumes(volumes).moment(path.substring(path.indexOf('/') + 1), "moment", 4 << 20);
    world.lvm().lose();
  }

  @Test
  void what_this_machine_has_in_use_is_not_taken_over() {
    one.pool().create(A);
    String lost = one.owner();
    String name = one.lvm().named(VolumeTags.id(A));
    two.lvm("lvchange", "--activate", "ey", FakeLvm.GROUP + "/" + name);
    two.lvm().hold(name, true);
    StapesException error = refused(Kind.BUSY, () -> two.takeOver(lost, A, A));
    assertTrue(String.valueOf(error.getMessage()).contains("this machine"), error.toString());
    assertTrue(two.lvm().isActive(name));
    two.lvm().hold(name, false);
    two.takeOver(lost, A, A);
    assertFalse(two.lvm().isActive(name));
  }

  /** It has the same number, but not what is in its directory. */
  @Test
  void a_machine_that_was_made_anew_takes_over_what_the_lost_one_had() throws IOException {
    one.pool().create(A);
    String lost = one.owner();
    one.pool().close();
    Files.delete(one.directory().resolve(MARK_FILE));
    try (LvmWorld anew = new LvmWorld(directory, SPEC, new Faults(), one.lvm().beside(1))) {
      assertEquals(Set.of(), anew.pool().list());
      anew.pool().reclaim();
      assertEquals(List.of(new Other(lost, Optional.empty(), Set.of(A))), anew.others());
      anew.takeOver(lost, A, B);
      assertEquals(Set.of(B), anew.pool().list());
      anew.reopen();
      assertEquals(Set.of(B), anew.pool().list());
      assertEquals(List.of(), anew.others());
    }
  }

  @Test
  void what_a_lost_machine_had_stays_when_all_others_leave() throws IOException {
    one.pool().create(A);
    String lost = one.owner();
    two.lvm("lvchange", "--deltag", one.placement().tag(), FakeLvm.GROUP + "/stapes_pool");
    two.pool().destroy();
    assertEquals(2, one.lvm().count());
    try (LvmWorld third = new LvmWorld(directory, SPEC, new Faults(), one.lvm().beside(3))) {
      third.takeOver(lost, A, A);
      assertTrue(third.pool().exists(A));
      assertFalse(one.pool().exists(A));
      third.pool().destroy();
    }
    assertEquals(0, one.lvm().count());
  }
}
