package dev.stapes.storage.lvm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.Faults;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * How many processes an operation starts: nearly all of its time is theirs. A look at how full the
 * pool is comes to that, once in five seconds; here it is just over.
 */
class LvmProcessesTest {
  private static final VolumeId A = new VolumeId(VolumeId.Kind.INSTANCE, "a");
  private static final VolumeId B = new VolumeId(VolumeId.Kind.INSTANCE, "b");
  private static final VolumeId SNAPSHOT = new VolumeId(VolumeId.Kind.SNAPSHOT, "a.clean");

  private final LvmWorld world;

  LvmProcessesTest(@TempDir Path directory) {
    this.world = new LvmWorld(directory, LvmWorld.SPEC, new Faults());
  }

  @BeforeEach
  void look() {
    pool().info();
  }

  @AfterEach
  void close() {
    world.close();
  }

  private StoragePool pool() {
    return world.pool();
  }

  /** The programs, with LVM's commands, in their order. */
  private List<String> started(Runnable work) {
    int before = world.commandCount();
    work.run();
    return world.commands("").stream()
        .skip(before)
        .map(command -> command.split(" ", -1))
        .map(words -> words[0].equals("lvm") ? words[1] : words[0])
        .toList();
  }

  @Test
  void a_new_volume_is_three_processes() {
    assertEquals(List.of("lvcreate", "mkfs.ext4", "lvchange"), started(() -> pool().create(A)));
  }

  @Test
  void a_clone_is_one_process_and_its_first_use_another_one() {
    pool().create(A);
    assertEquals(List.of("lvcreate"), started(() -> pool().copy(A, B, false)));
    assertEquals(
        List.of("lvchange"), started(() -> pool().attach(B, Optional.empty(), false).close()));
    assertEquals(List.of(), started(() -> pool().attach(B, Optional.empty(), false).close()));
  }

  @Test
  void a_snapshot_is_one_process_also_beside_many() {
    pool().create(A);
    for (int i = 0; i < 100; i++) {
      VolumeId other = new VolumeId(VolumeId.Kind.SNAPSHOT, "other-" + i);
      assertEquals(List.of("lvcreate"), started(() -> pool().copy(A, other, true)));
    }
    assertEquals(List.of(), started(() -> pool().list()));
    assertEquals(List.of(), started(() -> pool().exists(SNAPSHOT)));
  }

  @Test
  void a_restore_is_two_processes() {
    pool().create(A);
    pool().copy(A, SNAPSHOT, true);
    assertEquals(
        List.of("lvchange", "lvcreate"),
        started(
            () -> {
              pool().discard(A);
              pool().copy(SNAPSHOT, A, false);
            }));
  }

  @Test
  void a_deleted_volume_is_one_process_and_the_space_of_any_number_two() {
    for (int i = 0; i < 10; i++) {
      pool().create(new VolumeId(VolumeId.Kind.INSTANCE, "many-" + i));
    }
    pool().create(A);
    assertEquals(List.of("lvchange"), started(() -> pool().discard(A)));
    for (int i = 0; i < 10; i++) {
      pool().discard(new VolumeId(VolumeId.Kind.INSTANCE, "many-" + i));
    }
    assertEquals(List.of("lvremove", "lvs"), started(() -> pool().reclaim()));
    assertEquals(List.of("lvs"), started(() -> pool().reclaim()));
  }

  @Test
  void looking_into_a_volume_again_is_none() {
    pool().create(A);
    assertEquals(List.of(), started(() -> pool().tree(A, Tree.Resolution.BENEATH).close()));
  }
}
