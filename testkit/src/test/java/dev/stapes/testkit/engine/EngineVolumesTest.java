package dev.stapes.testkit.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Instance;
import dev.stapes.Pool;
import dev.stapes.Volume;
import dev.stapes.model.Device;
import dev.stapes.model.PoolInfo;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.model.SnapshotSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.model.VolumeCopySpec;
import dev.stapes.model.VolumeInfo;
import dev.stapes.model.VolumeSnapshotInfo;
import dev.stapes.model.VolumeSpec;
import dev.stapes.testkit.Faults;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Custom volumes: what becomes of them, of their snapshots, and of those who use them. */
class EngineVolumesTest {
  private static final Instant NOON = Instant.parse("2024-05-01T12:00:00Z");

  private static Pool pool(EngineWorld world) {
    return world.stapes().pools().byDefault();
  }

  private static Pool other(EngineWorld world) {
    return world.stapes().pools().create(PoolSpec.of("other", "fake"));
  }

  private static Device.Disk data(String source) {
    return Device.disk("/data", disk -> disk.volume("default", source));
  }

  /** An instance that has the volume, stopped. */
  private static Instance user(EngineWorld world, String name, Device device) {
    return world
        .stapes()
        .instances()
        .get(
            world
                .stapes()
                .instances()
                .create(EngineWorld.spec(name).device("data", device).build())
                .id());
  }

  private static StapesException refusal(Runnable call) {
    return assertThrows(StapesException.class, call::run);
  }

  private static List<String> names(List<VolumeSnapshotInfo> snapshots) {
    return snapshots.stream().map(VolumeSnapshotInfo::name).toList();
  }

  @Test
  void a_volume_is_what_was_asked_for() {
    try (EngineWorld world = EngineWorld.create()) {
      Volume volume =
          pool(world)
              .volumes()
              .create(
                  VolumeSpec.of("data")
                      .size(Size.ofMebibytes(8))
                      .description("of the shop")
                      .config("user.owner", "me"));
      VolumeInfo info = volume.info();
      assertEquals("data", info.name());
      assertEquals("default", info.pool());
      assertEquals("of the shop", info.description());
      assertEquals(Optional.of(Size.ofMebibytes(8)), info.size());
      assertEquals(Optional.of("me"), info.config().text("user.owner"));
      assertEquals(List.of(), info.usedBy());
      assertEquals(NOON, info.createdAt());
      assertEquals(Kind.CONFLICT, refusal(() -> pool(world).volumes().create("data")).kind());
      assertEquals(Kind.NOT_FOUND, refusal(() -> pool(world).volumes().get("none")).kind());
    }
  }

  @Test
  void unknown_keys_and_bad_values_are_refused_by_what_they_are() {
    VolumeSpec spec = VolumeSpec.of("data");
    for (Map.Entry<String, String> bad :
        Map.of(
                "snapshots.schedule", "@sometimes",
                "size", "much",
                "snapshots.expiry", "1x",
                "snapshots.pattern", "snap",
                "security.shifted", "false",
                "block.filesystem", "ext4")
            .entrySet()) {
      StapesException error = refusal(() -> spec.config(bad.getKey(), bad.getValue()));
      assertEquals(Kind.INVALID, error.kind());
      assertTrue(error.toString().contains(bad.getKey()), error::toString);
    }
    try (EngineWorld world = EngineWorld.create()) {
      Volume volume = pool(world).volumes().create(spec);
      assertEquals(Kind.INVALID, refusal(() -> volume.update(Map.of("size", "-1"))).kind());
      assertEquals(Optional.empty(), volume.info().size());
    }
  }

  @Test
  void config_description_and_size_change_and_are_there_after_the_next_open() {
    try (EngineWorld world = EngineWorld.create()) {
      Volume volume = pool(world).volumes().create(VolumeSpec.of("data").config("user.a", "1"));
      volume.update(Map.of("user.a", "", "user.b", "2"));
      volume.describe("new");
      volume.resize(Optional.of(Size.ofKibibytes(64)));
      world.reopen();
      VolumeInfo info = pool(world).volumes().get("data").info();
      assertEquals(Map.of("size", "64KiB", "user.b", "2"), info.config().values());
      assertEquals("new", info.description());
      pool(world).volumes().get("data").resize(Optional.empty());
      assertEquals(Optional.empty(), pool(world).volumes().get("data").info().size());
    }
  }

  @Test
  void a_volume_in_use_is_not_deleted_and_the_error_names_its_users() {
    try (EngineWorld world = EngineWorld.create()) {
      Volume volume = pool(world).volumes().create("data");
      user(world, "one", data("data"));
      user(world, "two", data("data/www"));
      assertEquals(List.of("one", "two"), volume.info().usedBy());
      StapesException error = refusal(volume::delete);
      assertEquals(Kind.BUSY, error.kind());
      assertTrue(error.toString().contains("instance one, instance two"), error::toString);
    }
  }

  @Test
  void devices_of_stopped_instances_follow_a_volume_that_gets_another_name_or_pool() {
    try (EngineWorld world = EngineWorld.create()) {
      Volume volume = pool(world).volumes().create("data");
      Instance web = user(world, "web", data("data/www"));
      volume.rename("shop");
      assertEquals("shop", volume.name());
      assertEquals(data("shop/www"), web.info().devices().get("data"));
      other(world);
      volume.moveTo("other");
      assertEquals(
          Device.disk("/data", disk -> disk.volume("other", "shop/www")),
          web.info().devices().get("data"));
      assertEquals(List.of(), pool(world).volumes().list());
      assertEquals("other", volume.info().pool());
    }
  }

  @Test
  void what_a_running_instance_uses_is_not_renamed_moved_or_restored() {
    try (EngineWorld world = EngineWorld.create()) {
      Volume volume = pool(world).volumes().create("data");
      volume.snapshots().create("s");
      other(world);
      Instance web = user(world, "web", data("data"));
      web.start();
      for (Runnable change :
          List.<Runnable>of(
              () -> volume.rename("shop"),
              () -> volume.moveTo("other"),
              () -> volume.snapshots().restore("s"))) {
        StapesException error = refusal(change);
        assertEquals(Kind.BUSY, error.kind());
        assertTrue(error.toString().contains("instance web"), error::toString);
      }
      assertEquals(1, pool(world).volumes().list().size());
      web.stop();
      volume.snapshots().restore("s");
    }
  }

  @Test
  void any_snapshot_is_restored_and_the_newer_ones_stay() {
    try (EngineWorld world = EngineWorld.create()) {
      Volume volume = pool(world).volumes().create("data");
      for (String name : List.of("a", "b", "c")) {
        volume.snapshots().create(name);
      }
      volume.snapshots().restore("a");
      volume.snapshots().restore("c");
      assertEquals(List.of("a", "b", "c"), names(volume.snapshots().list()));
      volume.snapshots().rename("b", "z");
      assertEquals("z", volume.snapshots().get("z").name());
      assertEquals(Kind.NOT_FOUND, refusal(() -> volume.snapshots().get("b")).kind());
      assertEquals(Kind.CONFLICT, refusal(() -> volume.snapshots().create("z")).kind());
      assertEquals(Kind.CONFLICT, refusal(() -> volume.snapshots().rename("a", "z")).kind());
      volume.snapshots().delete("a");
      assertEquals(List.of("c", "z"), names(volume.snapshots().list()));
      assertEquals(Kind.NOT_FOUND, refusal(() -> volume.snapshots().restore("a")).kind());
    }
  }

  @Test
  void snapshots_without_a_name_are_numbered_and_live_as_long_as_the_volume_says() {
    HandClock clock = new HandClock();
    try (EngineWorld world = EngineWorld.create(EngineWorld.Setup.usual().clock(clock))) {
      Volume volume =
          pool(world)
              .volumes()
              .create(
                  VolumeSpec.of("data")
                      .config("snapshots.pattern", "auto-%d")
                      .config("snapshots.expiry", "1d 1H"));
      volume.snapshots().create();
      volume.snapshots().create();
      volume.snapshots().delete("auto-0");
      assertEquals("auto-2", volume.snapshots().create().name());
      volume.snapshots().create("kept");
      volume.snapshots().expire("kept", Optional.empty());
      VolumeSnapshotInfo second = volume.snapshots().get("auto-1");
      assertEquals(Optional.of(second.createdAt().plus(Duration.ofHours(25))), second.expiresAt());
      assertEquals(List.of(), volume.snapshots().deleteExpired());
      clock.advance(Duration.ofHours(26));
      assertEquals(List.of("auto-1", "auto-2"), volume.snapshots().deleteExpired());
      assertEquals(List.of("kept"), names(volume.snapshots().list()));
    }
  }

  @Test
  void a_volume_has_no_memory() {
    try (EngineWorld world = EngineWorld.create()) {
      Volume volume = pool(world).volumes().create("data");
      assertEquals(
          Kind.INVALID,
          refusal(() -> volume.snapshots().create(SnapshotSpec.of("s").withMemory())).kind());
    }
  }

  @Test
  void a_copy_has_the_snapshots_when_it_is_to_and_goes_with_all_of_them() {
    try (EngineWorld world = EngineWorld.create()) {
      Volume volume = pool(world).volumes().create("data");
      volume.snapshots().create("a");
      volume.snapshots().create("b");
      Volume plain = volume.copyTo("plain");
      assertEquals(List.of(), plain.snapshots().list());
      Volume whole = volume.copyTo(VolumeCopySpec.of("default", "whole").snapshotsToo());
      assertEquals(List.of("a", "b"), names(whole.snapshots().list()));
      Pool other = other(world);
      Volume away = volume.copyTo(VolumeCopySpec.of("other", "away").snapshotsToo());
      assertEquals(List.of("a", "b"), names(away.snapshots().list()));
      assertEquals("other", away.snapshots().get("a").pool());
      for (Volume each : List.of(volume, plain, whole, away)) {
        each.delete();
      }
      other.delete();
      world.reopen();
      assertFalse(world.picture().toString().contains("CUSTOM"), world.picture()::toString);
      assertFalse(world.picture().toString().contains("SNAPSHOT"), world.picture()::toString);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = PoolInfo.Copies.class,
      names = {"PER_FILE", "INSTANT_AT_REST"})
  void a_pool_that_copies_file_by_file_makes_writers_stand_still_for_a_snapshot(
      PoolInfo.Copies copies) {
    Faults faults = new Faults();
    EngineWorld.Setup setup =
        EngineWorld.Setup.usual().storage(driver -> PerFileStorage.copying(driver, copies));
    try (EngineWorld world = EngineWorld.create(faults, setup)) {
      Volume volume = pool(world).volumes().create("data");
      Instance web = user(world, "web", data("data"));
      web.start();
      faults.count();
      volume.snapshots().create("s");
      volume.copyTo("copy");
      List<String> calls = faults.trace();
      assertEquals(
          2,
          calls.stream().filter(call -> call.contains("Machine.freeze")).count(),
          calls::toString);
      assertEquals("RUNNING", web.info().status().name());
      assertEquals(2, pool(world).volumes().list().size());
      faults.count();
      web.snapshots().create("of-the-root-disk");
      assertTrue(
          faults.trace().stream().anyMatch(call -> call.contains("Machine.freeze")),
          faults.trace()::toString);
    }
  }

  @Test
  void a_directory_of_a_volume_is_attached_alone_and_let_go_of() {
    try (EngineWorld world = EngineWorld.create()) {
      pool(world).volumes().create("data");
      int before = world.attached();
      Instance missing = user(world, "missing", data("data/www"));
      StapesException error = refusal(missing::start);
      assertEquals(Kind.NOT_FOUND, error.kind());
      assertTrue(error.toString().contains("www"), error::toString);
      assertEquals(before, world.attached());
      missing.delete();
      Device optional = Device.disk("/data", d -> d.volume("default", "data/www").optional());
      user(world, "without", optional).start();
      assertEquals(before + 1, world.attached());
    }
  }

  @Test
  void a_source_that_could_lead_out_of_a_volume_is_no_source() {
    for (String bad : List.of("data/", "data//www", "data/../other", "data/.", "/data", "..")) {
      assertEquals(Kind.INVALID, refusal(() -> data(bad)).kind(), bad);
    }
    Device.Disk deep = data("data/sub/path");
    assertEquals(Optional.of("data"), deep.volume());
    assertEquals(Optional.of("sub/path"), deep.subdirectory());
    assertEquals(Optional.empty(), data("data").subdirectory());
    assertEquals(deep, Device.parse("data", deep.toConfig()));
  }

  @Test
  void a_copy_that_is_interrupted_leaves_nothing_and_the_thread_interrupted() {
    try (EngineWorld world = EngineWorld.create()) {
      Volume volume = pool(world).volumes().create("data");
      volume.snapshots().create("a");
      Pool other = other(world);
      Thread caller = Thread.currentThread();
      VolumeCopySpec copy = VolumeCopySpec.of("other", "copy").snapshotsToo();
      StapesException error =
          refusal(() -> volume.copyTo(copy, (stage, done, total) -> caller.interrupt()));
      assertTrue(Thread.interrupted());
      assertEquals(Kind.INTERRUPTED, error.kind());
      assertEquals(List.of(), other.volumes().list());
      world.stapes().close();
      assertFalse(world.picture().toString().contains("in other: "), world.picture()::toString);
      assertFalse(world.picture().toString().contains("intents/"), world.picture()::toString);
    }
  }

  @Test
  void the_next_open_finds_volumes_with_their_snapshots_and_removes_neither() {
    try (EngineWorld world = EngineWorld.create()) {
      pool(world).volumes().create("data").snapshots().create("a");
      world.reopen();
      world.reopen();
      Volume again = pool(world).volumes().get("data");
      again.snapshots().restore("a");
      assertEquals(List.of("a"), names(again.snapshots().list()));
    }
  }
}
