package dev.stapes.storage.lvm;

import static dev.stapes.storage.lvm.RealLvmTests.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.IdMapping;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.EffectScenario;
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

/** What a pool makes LVM do, with one that is not there. */
class LvmPoolTest {
  private static final VolumeId A = new VolumeId(VolumeId.Kind.INSTANCE, "a");
  private static final VolumeId B = new VolumeId(VolumeId.Kind.INSTANCE, "b");
  private static final VolumeId SNAPSHOT = new VolumeId(VolumeId.Kind.SNAPSHOT, "a.clean");

  private final Path directory;
  private final LvmWorld world;

  LvmPoolTest(@TempDir Path directory) {
    this.directory = directory;
    this.world = new LvmWorld(directory, LvmWorld.SPEC, new Faults());
  }

  @AfterEach
  void close() {
    world.close();
  }

  private StoragePool pool() {
    return world.pool();
  }

  @Test
  void a_copy_is_one_process_and_a_discard_another_one() {
    pool().create(A);
    int before = world.commandCount();
    pool().copy(A, SNAPSHOT, true);
    assertEquals(before + 1, world.commandCount());
    pool().discard(SNAPSHOT);
    assertEquals(before + 2, world.commandCount());
    assertEquals(Set.of(A), pool().list());
    assertEquals(before + 2, world.commandCount());
  }

  @Test
  void a_copy_has_no_device_before_somebody_looks_at_it() {
    pool().create(A);
    long active = world.lvm().countActive();
    pool().copy(A, B, false);
    assertEquals(active, world.lvm().countActive());
    pool().tree(B, Tree.Resolution.BENEATH).close();
    assertEquals(active + 1, world.lvm().countActive());
  }

  @Test
  void many_discarded_volumes_are_removed_by_one_command() {
    pool().create(A);
    for (int i = 0; i < 20; i++) {
      VolumeId copy = new VolumeId(VolumeId.Kind.SNAPSHOT, "copy-" + i);
      pool().copy(A, copy, true);
      pool().discard(copy);
    }
    assertEquals(22, world.lvm().count());
    pool().reclaim();
    assertEquals(2, world.lvm().count());
    assertEquals(1, world.commands("lvm lvremove").size());
  }

  @Test
  void what_is_in_use_is_removed_by_a_later_reclaim() {
    pool().create(A);
    pool().create(B);
    pool().discard(A);
    world.lvm().holdTrash(true);
    pool().discard(B);
    pool().reclaim();
    assertEquals(2, world.lvm().count());
    world.lvm().holdTrash(false);
    pool().reclaim();
    assertEquals(1, world.lvm().count());
  }

  @Test
  void a_reopened_pool_has_its_volumes_and_its_trash() {
    pool().create(A);
    pool().copy(A, SNAPSHOT, true);
    pool().create(B);
    pool().discard(B);
    world.reopen();
    assertEquals(Set.of(A, SNAPSHOT), pool().list());
    pool().reclaim();
    assertEquals(3, world.lvm().count());
  }

  @Test
  void a_twin_goes_with_its_volume_and_one_without_is_trash() {
    pool().create(A);
    pool().copy(A, SNAPSHOT, true);
    String owner = world.lvm().named(VolumeTags.id(SNAPSHOT));
    world.lvm().add("twin", Set.of("stapes.twin=" + owner, "stapes.content=v1"));
    world.lvm().add("orphan", Set.of("stapes.twin=vgone", "stapes.content=v2"));
    world.lvm().add("others", Set.of("somebody's"));
    world.reopen();
    assertEquals(Set.of(A, SNAPSHOT), pool().list());
    assertEquals(6, world.lvm().count());
    pool().reclaim();
    assertEquals(5, world.lvm().count());
    pool().discard(SNAPSHOT);
    pool().reclaim();
    assertEquals(3, world.lvm().count());
    assertEquals("others", world.lvm().named("somebody's"));
  }

  /** As the killed JVM left it between the two commits that make a volume smaller. */
  @Test
  void a_volume_that_another_one_took_the_place_of_is_trash_whatever_its_tags_say() {
    pool().create(A);
    String old = world.lvm().named(VolumeTags.id(A));
    world
        .lvm()
        .add("smaller", Set.of(VolumeTags.id(A), "stapes.format=ext4", "stapes.replaces=" + old));
    world.reopen();
    assertEquals(Set.of(A), pool().list());
    pool().reclaim();
    assertEquals(2, world.lvm().count());
    assertEquals("smaller", world.lvm().named(VolumeTags.id(A)));
  }

  @Test
  void devices_that_a_killed_jvm_left_go_with_the_next_close() {
    pool().create(A);
    pool().create(B);
    world.crash(new Faults());
    assertEquals(3, world.lvm().countActive());
    pool().close();
    assertEquals(0, world.lvm().countActive());
  }

  @Test
  void block_volumes_are_made_grown_copied_and_discarded_like_others() {
    StoragePool.BlockVolumes blocks = pool().blockVolumes().orElseThrow();
    int before = world.commandCount();
    blocks.create(A, Size.ofBytes((5 << 20) + 1));
    assertEquals(before + 3, world.commandCount()); // the group's extents, the fullness, itself
    assertEquals(Optional.of(Size.ofMebibytes(8)), blocks.size(A));
    pool().copy(A, SNAPSHOT, true);
    blocks.grow(A, Size.ofMebibytes(11));
    assertEquals(Optional.of(Size.ofMebibytes(12)), blocks.size(A));
    refused(Kind.INVALID, () -> blocks.grow(A, Size.ofMebibytes(8)));
    before = world.commandCount();
    blocks.grow(A, Size.ofMebibytes(12));
    assertEquals(before, world.commandCount());
    world.reopen();
    StoragePool.BlockVolumes again = pool().blockVolumes().orElseThrow();
    assertEquals(Optional.of(Size.ofMebibytes(12)), again.size(A));
    assertEquals(Optional.of(Size.ofMebibytes(8)), again.size(SNAPSHOT));
    refused(Kind.INVALID, () -> pool().tree(A, Tree.Resolution.BENEATH));
    refused(Kind.INVALID, () -> pool().attach(A, Optional.empty(), true));
    pool().create(B);
    assertEquals(Optional.empty(), again.size(B));
    refused(Kind.INVALID, () -> again.attach(B, true));
    refused(Kind.DENIED, () -> again.attach(SNAPSHOT, false));
    pool().discard(A);
    assertEquals(Set.of(B, SNAPSHOT), pool().list());
  }

  @Test
  void a_failed_block_volume_leaves_the_pool_as_it_was() throws Exception {
    assertTrue(
        scenario(pool -> pool.blockVolumes().orElseThrow().create(B, Size.ofMebibytes(8)))
                .forEveryEffect()
            >= 2);
  }

  @Test
  void a_closed_pool_has_no_devices() {
    pool().create(A);
    pool().create(B);
    pool().close();
    assertEquals(0, world.lvm().countActive());
  }

  @Test
  void a_pool_that_was_renamed_is_found_by_its_mark() {
    pool().create(A);
    world.lvm().rename(world.lvm().onlyPool(), "renamed");
    world.reopen();
    assertEquals(Set.of(A), pool().list());
    pool().copy(A, B, false);
    assertEquals(Set.of(A, B), pool().list());
  }

  @Test
  void nothing_is_made_in_a_pool_that_is_nearly_full() {
    pool().create(A);
    world.lvm().fill(96, 10);
    pool().info(); // looks
    assertTrue(
        String.valueOf(refused(Kind.EXHAUSTED, () -> pool().create(B)).getMessage())
            .contains("96 %"));
    refused(Kind.EXHAUSTED, () -> pool().copy(A, B, true));
    pool().discard(A);
    pool().reclaim();
    world.lvm().fill(20, 10);
    pool().create(B);
    assertEquals(Set.of(B), pool().list());
  }

  @Test
  void metadata_that_is_tight_gets_more_room() {
    world.lvm().fill(10, 80);
    pool().info();
    assertEquals(1, world.commands("lvm lvextend").size());
    pool().info();
    assertEquals(1, world.commands("lvm lvextend").size());
    pool().create(A);
  }

  @Test
  void a_pool_that_is_tight_grows_by_itself_up_to_its_limit() {
    PoolSpec spec =
        LvmWorld.SPEC.size(Size.ofMebibytes(256)).with("lvm.thinpool_max_size", "300MiB");
    try (LvmWorld other = new LvmWorld(directory, spec, new Faults())) {
      long size = other.pool().info().total().bytes();
      other.lvm().fill(79, 10);
      assertEquals(size, other.pool().info().total().bytes());
      other.lvm().fill(96, 10);
      assertEquals(Size.ofMebibytes(300), other.pool().info().total());
      int before = other.commands("lvm lvextend").size();
      refused(Kind.EXHAUSTED, () -> other.pool().create(A));
      assertEquals(before, other.commands("lvm lvextend").size());
    }
  }

  @Test
  void a_pool_that_cannot_grow_by_itself_works_on() throws Exception {
    PoolSpec spec =
        LvmWorld.SPEC.size(Size.ofMebibytes(256)).with("lvm.thinpool_max_size", "300MiB");
    Faults faults = new Faults();
    try (LvmWorld other = new LvmWorld(directory, spec, faults)) {
      other.lvm().fill(85, 10);
      faults.failNth(3); // the look, the group, then lvextend
      long size = other.pool().info().total().bytes();
      assertTrue(faults.trace().toString().contains("lvextend"), faults.trace().toString());
      faults.count();
      other.pool().create(A);
      assertTrue(other.pool().info().total().bytes() > size);
    }
  }

  /** What is copied is the old one, and what was written since is in the other. */
  @Test
  void a_volume_that_another_one_takes_the_place_of_while_it_is_copied_is_busy() {
    pool().create(A);
    world
        .lvm()
        .before(
            "--snapshot",
            () -> {
              pool().discard(A);
              pool().create(A);
            });
    refused(Kind.BUSY, () -> pool().copy(A, B, true));
    assertEquals(Set.of(A), pool().list());
    pool().reclaim();
    assertEquals(2, world.lvm().count());
  }

  /** Otherwise it stays mounted, and nobody can remove it. */
  @Test
  void a_volume_that_somebody_looks_into_while_it_is_discarded_is_mounted_no_more() {
    pool().create(A);
    world
        .lvm()
        .before(
            VolumeTags.TRASH,
            () -> {
              pool().tree(A, Tree.Resolution.BENEATH).close();
              assertEquals(1, world.mounted().size());
            });
    pool().discard(A);
    assertEquals(List.of(), world.mounted());
    refused(Kind.NOT_FOUND, () -> pool().tree(A, Tree.Resolution.BENEATH));
  }

  @Test
  void a_destroyed_pool_leaves_nothing_in_the_group_and_no_file() throws IOException {
    pool().create(A);
    pool().copy(A, SNAPSHOT, true);
    Files.writeString(world.directory().resolve("thin-pool.inode"), "of before 0.1");
    pool().destroy();
    assertEquals(0, world.lvm().count());
    assertEquals(Set.of(), HostLeftovers.filesBelow(world.directory()));
    refused(Kind.UNAVAILABLE, () -> pool().create(B));
  }

  @Test
  void an_interrupted_caller_begins_no_command() {
    pool().create(A);
    int before = world.commandCount();
    Thread.currentThread().interrupt();
    try {
      refused(Kind.INTERRUPTED, () -> pool().discard(A));
      assertTrue(Thread.currentThread().isInterrupted());
    } finally {
      Thread.interrupted();
    }
    assertTrue(pool().exists(A));
    assertTrue(
        world.commands("lvm lvchange").stream()
            .noneMatch(line -> line.contains("--addtag stapes.trash")));
    assertTrue(world.commandCount() > before, "it looked whether the volume is still there");
  }

  @Test
  void a_volume_is_attached_with_owners_as_on_the_disk() {
    pool().create(A);
    try (StoragePool.Attachment attachment = pool().attach(A, Optional.empty(), false)) {
      assertTrue(attachment.path().isAbsolute());
      assertFalse(attachment.mapped().isPresent());
    }
  }

  @Test
  void a_failed_create_leaves_the_pool_as_it_was() throws Exception {
    assertTrue(scenario(pool -> pool.create(B)).forEveryEffect() >= 4);
  }

  @Test
  void a_failed_copy_leaves_the_pool_as_it_was() throws Exception {
    assertTrue(scenario(pool -> pool.copy(A, B, true)).forEveryEffect() >= 1);
  }

  @Test
  void a_failed_discard_leaves_the_pool_as_it_was() throws Exception {
    assertTrue(scenario(pool -> pool.discard(A)).forEveryEffect() >= 2);
  }

  @Test
  void a_failed_attach_leaves_the_pool_as_it_was() throws Exception {
    Optional<IdMapping> map = Optional.of(IdMapping.of(1_000_000, 65_536));
    assertTrue(scenario(pool -> pool.attach(A, map, true).close()).forEveryEffect() >= 1);
  }

  @Test
  void after_a_crash_anywhere_a_volume_has_its_file_system_or_is_trash() {
    int whole = 0;
    int gone = 0;
    for (int n = 1; n <= 12; n++) {
      Faults faults = new Faults();
      try (LvmWorld other = new LvmWorld(directory, LvmWorld.SPEC, faults)) {
        other.pool().create(A);
        faults.dieAtNth(n);
        boolean done = attempt(() -> other.pool().create(B));
        other.crash(faults);
        Set<VolumeId> left = other.pool().list();
        if (left.contains(B)) {
          whole++;
          assertEquals(2, other.commands("mkfs.ext4").size(), "killed at " + n);
          other.pool().tree(B, Tree.Resolution.BENEATH).close();
        } else {
          gone++;
          assertFalse(done, "killed at " + n);
          assertEquals(Set.of(A), left);
          other.pool().reclaim();
          assertEquals(2, other.lvm().count(), "killed at " + n);
        }
      }
    }
    assertTrue(whole > 0 && gone > 2, whole + " whole, " + gone + " gone");
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
    return LvmWorld.scenario(directory, LvmWorld.SPEC, pool -> pool.create(A), action);
  }
}
