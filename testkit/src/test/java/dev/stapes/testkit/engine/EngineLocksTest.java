package dev.stapes.testkit.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.Instance;
import dev.stapes.Pool;
import dev.stapes.Stapes;
import dev.stapes.model.Device;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.model.VolumeSpec;
import dev.stapes.spi.StoragePool;
import dev.stapes.testkit.Faults;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is copied or about to be used stays, and stays as it is, until that is done. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class EngineLocksTest {
  private static final Device DATA = Device.disk("/data", disk -> disk.volume("default", "data"));

  /**
   * A world with a running instance, in which copies and limits of volumes are the only effects.
   */
  private static EngineWorld world(EngineWorld.Setup setup) {
    Faults copies =
        new Faults(
            method ->
                (method.getDeclaringClass() == StoragePool.class && method.getName().equals("copy"))
                    || method.getDeclaringClass() == StoragePool.Quotas.class);
    EngineWorld world = EngineWorld.create(copies, setup);
    world.launch("web").exec("write", "mine").orThrow();
    return world;
  }

  private static EngineWorld world() {
    return world(EngineWorld.Setup.usual());
  }

  private static Instance web(EngineWorld world) {
    return world.stapes().instances().get("web");
  }

  private static Pool pool(EngineWorld world) {
    return world.stapes().pools().byDefault();
  }

  /** Begins a call and returns when it is held back at its first effect. */
  private static Held held(EngineWorld world, Runnable call) throws Exception {
    Faults.Block block = world.faults().blockAtNth(1);
    OtherThread thread = OtherThread.begin(call);
    block.awaitReached(OtherThread.SOON);
    return new Held(thread, block);
  }

  private record Held(OtherThread thread, Faults.Block block) {
    void finish() throws Exception {
      block.release();
      thread.join();
    }
  }

  private static Kind refusal(Runnable call) {
    return assertThrows(StapesException.class, call::run).kind();
  }

  @Test
  void an_instance_is_deleted_only_when_a_copy_of_it_is_whole() throws Exception {
    try (EngineWorld world = world()) {
      web(world).stop();
      Held copy = held(world, () -> web(world).copyTo("copy"));
      OtherThread deletion = OtherThread.begin(web(world)::delete).awaitWaiting();
      copy.finish();
      deletion.join();
      assertEquals("mine", world.stapes().instances().get("copy").files().readText("/note"));
    }
  }

  @Test
  void a_snapshot_is_deleted_only_when_a_copy_of_it_is_whole() throws Exception {
    try (EngineWorld world = world()) {
      web(world).snapshots().create("clean");
      Held copy = held(world, () -> web(world).snapshots().copyTo("clean", "copy"));
      OtherThread deletion =
          OtherThread.begin(() -> web(world).snapshots().delete("clean")).awaitWaiting();
      copy.finish();
      deletion.join();
      assertEquals("mine", world.stapes().instances().get("copy").files().readText("/note"));
    }
  }

  @Test
  void a_volume_is_deleted_only_when_a_copy_of_it_is_whole() throws Exception {
    try (EngineWorld world = world()) {
      pool(world).volumes().create(VolumeSpec.of("data").size(Size.ofKibibytes(8)));
      Held copy = held(world, () -> pool(world).volumes().get("data").copyTo("copy"));
      OtherThread deletion =
          OtherThread.begin(() -> pool(world).volumes().get("data").delete()).awaitWaiting();
      copy.finish();
      deletion.join();
      assertEquals(
          Optional.of(Size.ofKibibytes(8)), pool(world).volumes().get("copy").info().size());
    }
  }

  @Test
  void copies_of_a_stopped_instance_do_not_wait_for_each_other() throws Exception {
    try (EngineWorld world = world()) {
      web(world).stop();
      Held first = held(world, () -> web(world).copyTo("first"));
      web(world).copyTo("second");
      first.finish();
      assertEquals(3, world.stapes().instances().list().size());
    }
  }

  @Test
  void a_running_instance_stands_still_in_each_of_two_copies_and_a_freeze_outlasts_them()
      throws Exception {
    try (EngineWorld world = world(EngineWorld.Setup.usual().storage(PerFileStorage::of))) {
      Held first = held(world, () -> web(world).copyTo("first"));
      OtherThread second = OtherThread.begin(() -> web(world).copyTo("second")).awaitWaiting();
      assertEquals(InstanceStatus.FROZEN, web(world).info().status());
      first.finish();
      second.join();
      assertEquals(InstanceStatus.RUNNING, web(world).info().status());

      Held third = held(world, () -> web(world).copyTo("third"));
      OtherThread freeze = OtherThread.begin(web(world)::freeze).awaitWaiting();
      third.finish();
      freeze.join();
      assertEquals(InstanceStatus.FROZEN, web(world).info().status());
      web(world).unfreeze();
    }
  }

  @Test
  void who_has_a_volume_starts_only_when_a_copy_of_it_file_by_file_is_whole() throws Exception {
    try (EngineWorld world = world(EngineWorld.Setup.usual().storage(PerFileStorage::of))) {
      web(world).stop();
      pool(world).volumes().create("data");
      web(world).update(change -> change.device("data", DATA));
      for (Runnable copy :
          List.<Runnable>of(
              () -> pool(world).volumes().get("data").snapshots().create("s"),
              () -> pool(world).volumes().get("data").copyTo("copy"))) {
        Held held = held(world, copy);
        OtherThread start = OtherThread.begin(web(world)::start).awaitWaiting();
        held.finish();
        start.join();
        web(world).stop();
      }
    }
  }

  @Test
  void a_pool_is_deleted_only_when_nothing_is_being_made_in_it() throws Exception {
    try (EngineWorld world = world()) {
      Stapes stapes = world.stapes();
      Pool other = stapes.pools().create(PoolSpec.of("other", "fake"));
      Runnable create =
          () ->
              stapes
                  .instances()
                  .create(
                      EngineWorld.spec("box")
                          .device("root", Device.root(disk -> disk.pool("other")))
                          .build());
      create.run(); // unpacks the image
      stapes.instances().get("box").delete();
      Held creation = held(world, create);
      OtherThread deletion = OtherThread.begin(other::delete).awaitWaiting();
      creation.finish();
      assertEquals(Kind.BUSY, deletion.failure().kind());
      stapes.instances().get("box").start();
      stapes.instances().get("box").delete(Delete.FORCE);
      other.volumes().create("data");
      Held copy = held(world, () -> other.volumes().get("data").copyTo("copy"));
      deletion = OtherThread.begin(other::delete).awaitWaiting();
      copy.finish();
      assertEquals(Kind.BUSY, deletion.failure().kind());
      other.volumes().get("data").delete();
      other.volumes().get("copy").delete();
      other.delete();
      assertEquals(Kind.NOT_FOUND, refusal(create));
    }
  }

  @Test
  void a_pool_is_deleted_only_when_nothing_is_being_removed_in_it() throws Exception {
    Faults removals = new Faults(method -> method.getName().equals("discardAll"));
    try (EngineWorld world = EngineWorld.create(removals, EngineWorld.Setup.usual())) {
      Pool other = world.stapes().pools().create(PoolSpec.of("other", "fake"));
      Device root = Device.root(disk -> disk.pool("other"));
      Instance box =
          world.stapes().instances().create(EngineWorld.spec("box").device("root", root).build());
      Faults.Block removal = removals.blockAtNth(1);
      box.delete();
      removal.awaitReached(OtherThread.SOON);
      OtherThread deletion = OtherThread.begin(other::delete).awaitWaiting();
      removal.release();
      deletion.join();
      world.stapes().close();
      List<String> lines = world.picture().lines();
      assertEquals(List.of(), lines.stream().filter(line -> line.startsWith("intents/")).toList());
    }
  }

  @Test
  void a_volume_that_an_update_is_adding_is_in_use() throws Exception {
    try (EngineWorld world = world()) {
      web(world).stop();
      pool(world).volumes().create("data");
      Held update =
          held(
              world,
              () ->
                  web(world)
                      .update(
                          change ->
                              change
                                  .device("data", DATA)
                                  .device(
                                      "root",
                                      Device.root(
                                          disk ->
                                              disk.pool("default").size(Size.ofMebibytes(1))))));
      OtherThread deletion =
          OtherThread.begin(() -> pool(world).volumes().get("data").delete()).awaitWaiting();
      update.finish();
      assertEquals(Kind.BUSY, deletion.failure().kind());
      web(world).start();
    }
  }

  @Test
  void a_volume_that_a_new_instance_names_is_in_use() throws Exception {
    try (EngineWorld world = world()) {
      pool(world).volumes().create("data");
      Held creation =
          held(
              world,
              () ->
                  world
                      .stapes()
                      .instances()
                      .create(EngineWorld.spec("box").device("data", DATA).build()));
      OtherThread deletion =
          OtherThread.begin(() -> pool(world).volumes().get("data").delete()).awaitWaiting();
      creation.finish();
      assertEquals(Kind.BUSY, deletion.failure().kind());
    }
  }

  @Test
  void no_record_names_a_volume_that_does_not_exist() {
    try (EngineWorld world = world()) {
      web(world).stop();
      assertEquals(
          Kind.NOT_FOUND, refusal(() -> web(world).update(change -> change.device("data", DATA))));
      assertEquals(
          Kind.NOT_FOUND,
          refusal(
              () ->
                  world
                      .stapes()
                      .instances()
                      .create(EngineWorld.spec("box").device("data", DATA).build())));
      assertEquals(1, world.stapes().instances().list().size());
      assertFalse(web(world).info().devices().containsKey("data"));
    }
  }

  /** With a snapshot that names a volume which the running instance does not. */
  private static EngineWorld worldWithSnapshotOfVolume() {
    EngineWorld world = world();
    web(world).stop();
    pool(world).volumes().create("data");
    web(world).update(change -> change.device("data", DATA));
    web(world).snapshots().create("clean");
    web(world).update(change -> change.removeDevice("data"));
    web(world).start();
    web(world).exec("write", "later").orThrow();
    return world;
  }

  @Test
  void a_restore_of_a_snapshot_whose_volume_is_gone_changes_nothing() {
    try (EngineWorld world = worldWithSnapshotOfVolume()) {
      pool(world).volumes().get("data").delete();
      world.reopen(); // waits until the volume is gone
      List<String> before = world.picture().lines();
      StapesException refused =
          assertThrows(StapesException.class, () -> web(world).snapshots().restore("clean"));
      assertEquals(Kind.NOT_FOUND, refused.kind());
      assertEquals("volume default/data", refused.subject());
      assertEquals(before, world.picture().lines());
      assertEquals(InstanceStatus.RUNNING, web(world).info().status());
      assertEquals("later", web(world).files().readText("/note"));
    }
  }

  @Test
  void a_volume_that_a_restore_brings_back_is_in_use() throws Exception {
    try (EngineWorld world = worldWithSnapshotOfVolume()) {
      Held restore = held(world, () -> web(world).snapshots().restore("clean"));
      OtherThread deletion =
          OtherThread.begin(() -> pool(world).volumes().get("data").delete()).awaitWaiting();
      restore.finish();
      assertEquals(Kind.BUSY, deletion.failure().kind());
      assertTrue(web(world).info().devices().containsKey("data"));
      assertEquals(InstanceStatus.RUNNING, web(world).info().status());
    }
  }
}
