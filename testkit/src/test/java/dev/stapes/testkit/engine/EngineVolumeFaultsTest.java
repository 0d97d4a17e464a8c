package dev.stapes.testkit.engine;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Pool;
import dev.stapes.Stapes;
import dev.stapes.Volume;
import dev.stapes.model.Device;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.VolumeCopySpec;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Every effect of every change to custom volumes and their snapshots fails once. */
@Tag("once")
class EngineVolumeFaultsTest {
  private static final Consumer<EngineWorld> WITH_SNAPSHOTS =
      world -> {
        Volume data = pool(world.stapes()).volumes().create("data");
        data.snapshots().create("a");
        data.snapshots().create("b");
        Device disk = Device.disk("/data", d -> d.volume("default", "data"));
        world.stapes().instances().create(EngineWorld.spec("web").device("data", disk).build());
      };

  private static final Consumer<EngineWorld> BESIDE_ANOTHER_POOL =
      world -> {
        WITH_SNAPSHOTS.accept(world);
        world.stapes().pools().create(PoolSpec.of("other", "fake"));
      };

  private static Pool pool(Stapes stapes) {
    return stapes.pools().byDefault();
  }

  private static Volume data(Stapes stapes) {
    return pool(stapes).volumes().get("data");
  }

  private static void failsCleanly(Consumer<EngineWorld> given, Consumer<Stapes> operation)
      throws Exception {
    assertTrue(EngineScenario.of(given, operation).forEveryEffect() > 0);
  }

  private static void failsCleanlyFileByFile(
      Consumer<EngineWorld> given, Consumer<Stapes> operation) throws Exception {
    assertTrue(
        EngineScenario.of(given, operation)
                .in(EngineWorld.Setup.usual().storage(PerFileStorage::of))
                .forEveryEffect()
            > 0);
  }

  @Test
  void a_snapshot_that_fails_leaves_nothing() throws Exception {
    failsCleanly(WITH_SNAPSHOTS, stapes -> data(stapes).snapshots().create("c"));
  }

  @Test
  void a_restore_that_fails_leaves_the_volume() throws Exception {
    failsCleanly(WITH_SNAPSHOTS, stapes -> data(stapes).snapshots().restore("a"));
  }

  @Test
  void a_snapshot_that_is_not_deleted_or_renamed_stays() throws Exception {
    failsCleanly(WITH_SNAPSHOTS, stapes -> data(stapes).snapshots().delete("a"));
    failsCleanly(WITH_SNAPSHOTS, stapes -> data(stapes).snapshots().rename("a", "c"));
  }

  @Test
  void a_name_that_fails_leaves_the_old_one_in_the_devices_too() throws Exception {
    failsCleanly(WITH_SNAPSHOTS, stapes -> data(stapes).rename("shop"));
  }

  @Test
  void a_copy_with_snapshots_that_fails_leaves_nothing() throws Exception {
    VolumeCopySpec copy = VolumeCopySpec.of("default", "copy").snapshotsToo();
    failsCleanly(WITH_SNAPSHOTS, stapes -> data(stapes).copyTo(copy));
  }

  @Test
  void a_copy_to_another_pool_by_streams_that_fails_leaves_nothing() throws Exception {
    VolumeCopySpec copy = VolumeCopySpec.of("other", "copy").snapshotsToo();
    failsCleanly(BESIDE_ANOTHER_POOL, stapes -> data(stapes).copyTo(copy));
  }

  @Test
  void a_copy_to_another_pool_file_by_file_that_fails_leaves_nothing() throws Exception {
    VolumeCopySpec copy = VolumeCopySpec.of("other", "copy").snapshotsToo();
    failsCleanlyFileByFile(BESIDE_ANOTHER_POOL, stapes -> data(stapes).copyTo(copy));
  }

  @Test
  void a_move_that_fails_leaves_the_volume_where_it_was() throws Exception {
    failsCleanly(BESIDE_ANOTHER_POOL, stapes -> data(stapes).moveTo("other"));
    failsCleanlyFileByFile(BESIDE_ANOTHER_POOL, stapes -> data(stapes).moveTo("other"));
  }
}
