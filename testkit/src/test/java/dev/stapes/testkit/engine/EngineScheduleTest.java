package dev.stapes.testkit.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Instance;
import dev.stapes.Stop;
import dev.stapes.Volume;
import dev.stapes.model.ScheduledSnapshots;
import dev.stapes.model.ScheduledSnapshotsException;
import dev.stapes.model.SnapshotInfo;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.model.VolumeSnapshotInfo;
import dev.stapes.model.VolumeSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Snapshots that are made and deleted when their time has come, and somebody asks. */
class EngineScheduleTest {
  private static final Instant NOON = Instant.parse("2024-05-01T12:00:00Z");

  private final HandClock clock = new HandClock();

  private EngineWorld world() {
    return EngineWorld.create(EngineWorld.Setup.usual().clock(clock));
  }

  private static Volume volume(EngineWorld world, String schedule) {
    return world
        .stapes()
        .pools()
        .byDefault()
        .volumes()
        .create(VolumeSpec.of("data").config("snapshots.schedule", schedule));
  }

  private static ScheduledSnapshots run(EngineWorld world) {
    return world.stapes().snapshotSchedules().runDue();
  }

  private static List<String> names(Volume volume) {
    return volume.snapshots().list().stream().map(VolumeSnapshotInfo::name).toList();
  }

  private static List<String> names(Instance instance) {
    return instance.snapshots().list().stream().map(SnapshotInfo::name).toList();
  }

  @Test
  void a_volume_has_one_snapshot_however_often_it_was_due() {
    try (EngineWorld world = world()) {
      volume(world, "@hourly");
      assertEquals(
          Optional.of(NOON.plus(Duration.ofHours(1))), world.stapes().snapshotSchedules().next());
      assertEquals(List.of(), run(world).volumes());
      clock.advance(Duration.ofMinutes(59));
      assertEquals(List.of(), run(world).volumes());
      clock.advance(Duration.ofMinutes(1));
      assertEquals("snap0", run(world).volumes().get(0).name());
      assertEquals(List.of(), run(world).volumes());
      clock.advance(Duration.ofHours(5));
      world.reopen();
      assertEquals(1, run(world).volumes().size());
      assertEquals(
          List.of("snap0", "snap1"),
          names(world.stapes().pools().byDefault().volumes().get("data")));
    }
  }

  @Test
  void snapshots_expire_in_the_same_run() {
    try (EngineWorld world = world()) {
      Volume data = volume(world, "@hourly");
      data.update(java.util.Map.of("snapshots.expiry", "90M", "snapshots.pattern", "auto-%d"));
      clock.advance(Duration.ofHours(1));
      run(world);
      assertEquals(
          Optional.of(NOON.plus(Duration.ofHours(2))), world.stapes().snapshotSchedules().next());
      clock.advance(Duration.ofMinutes(90));
      ScheduledSnapshots done = run(world);
      assertEquals("auto-0", done.expiredOfVolumes().get(0).name());
      assertEquals(1, done.expiredOfVolumes().size());
      assertEquals("auto-0", done.volumes().get(0).name()); // the number is free again
    }
  }

  @Test
  void instances_that_do_not_run_have_none_unless_that_is_wanted() {
    try (EngineWorld world = world()) {
      Instance web = world.launch("web");
      web.update(
          update ->
              update.config("snapshots.schedule", "0 * * * *").config("snapshots.expiry", "1d"));
      clock.advance(Duration.ofHours(1));
      SnapshotInfo made = run(world).instances().get(0);
      assertEquals("snap0", made.name());
      assertEquals(made.createdAt().plus(Duration.ofDays(1)), made.expiresAt().orElseThrow());
      web.stop(Stop.FORCE);
      clock.advance(Duration.ofHours(1));
      assertEquals(List.of(), run(world).instances());
      web.update(update -> update.config("snapshots.schedule.stopped", "true"));
      clock.advance(Duration.ofHours(1));
      assertEquals(1, run(world).instances().size());
      clock.advance(Duration.ofDays(1));
      assertEquals(
          List.of("snap0", "snap1"),
          run(world).expiredOfInstances().stream().map(SnapshotInfo::name).toList());
      web.update(update -> update.config("snapshots.schedule.stopped", "false"));
      Instant expiry = world.stapes().snapshotSchedules().next().orElseThrow();
      assertTrue(expiry.isAfter(clock.instant().plus(Duration.ofHours(23))), expiry::toString);
    }
  }

  @Test
  void a_start_makes_one_where_it_is_wanted() {
    try (EngineWorld world = world()) {
      Instance web = world.launch("web");
      web.update(update -> update.config("snapshots.schedule", "@startup"));
      StapesException running = assertThrows(StapesException.class, web::start);
      assertEquals(Kind.CONFLICT, running.kind());
      assertEquals(List.of(), names(web));
      web.stop(Stop.FORCE);
      web.start();
      assertEquals(List.of("snap0"), names(web));
      assertEquals(Optional.empty(), world.stapes().snapshotSchedules().next());
    }
  }

  @Test
  void what_fails_keeps_none_of_the_others() {
    try (EngineWorld world = world()) {
      volume(world, "@hourly");
      Instance web = world.launch("web");
      web.update(update -> update.config("snapshots.schedule", "@hourly"));
      web.snapshots().create("taken");
      web.update(update -> update.config("snapshots.pattern", "%d"));
      clock.advance(Duration.ofHours(1));
      world.faults().failNth(1);
      ScheduledSnapshotsException e =
          assertThrows(ScheduledSnapshotsException.class, () -> run(world));
      assertEquals(1, e.failed().size());
      assertTrue(e.toString().contains("1 failed"), e::toString);
      assertEquals(1, e.done().volumes().size() + e.done().instances().size());
    }
  }

  @Test
  void wherever_a_run_fails_or_dies_the_next_one_has_made_one_of_each() {
    for (boolean dies : List.of(false, true)) {
      int n = 0;
      while (repaired(++n, dies)) {
        assertTrue(n < 1000);
      }
      assertTrue(n > 3, "so many effects: " + n);
    }
  }

  /** Whether the run had so many effects. */
  private boolean repaired(int n, boolean dies) {
    try (EngineWorld world = world()) {
      volume(world, "@hourly");
      Instance web = world.launch("web");
      web.update(update -> update.config("snapshots.schedule", "@hourly"));
      clock.advance(Duration.ofHours(1));
      if (dies) {
        world.faults().dieAtNth(n);
      } else {
        world.faults().failNth(n);
      }
      boolean failed = false;
      try {
        run(world);
      } catch (StapesException e) {
        failed = true;
        if (e instanceof ScheduledSnapshotsException) {
          Instant next = world.stapes().snapshotSchedules().next().orElseThrow();
          assertTrue(next.isAfter(clock.instant()), () -> n + ": at once again");
        }
      }
      world.faults().count();
      world.reopen();
      run(world);
      assertEquals(
          List.of("snap0"),
          names(world.stapes().pools().byDefault().volumes().get("data")),
          "effect " + n);
      assertEquals(List.of("snap0"), names(world.stapes().instances().get("web")), "effect " + n);
      return failed;
    }
  }

  @Test
  void data_that_is_gone_is_said_and_what_was_deleted_is_not() {
    try (EngineWorld world = world()) {
      volume(world, "@hourly");
      clock.advance(Duration.ofHours(1));
      world.faults().count();
      run(world);
      int copy = 1;
      for (String call : world.faults().trace()) {
        if (call.startsWith("StoragePool.copy")) {
          break;
        }
        copy++;
      }
      clock.advance(Duration.ofHours(1));
      world.faults().failNth(copy, () -> StapesException.notFound("volume custom/x"));
      ScheduledSnapshotsException e =
          assertThrows(ScheduledSnapshotsException.class, () -> run(world));
      assertEquals(List.of("volume default/data"), List.copyOf(e.failed().keySet()));
      assertEquals(Kind.NOT_FOUND, e.kind());
    }
  }

  @Test
  void a_start_that_is_refused_or_fails_leaves_no_snapshot() {
    try (EngineWorld world = world()) {
      Instance web = world.launch("web");
      web.update(update -> update.config("snapshots.schedule", "@startup"));
      web.stop(Stop.FORCE);
      web.update(update -> update.config("security.protection.start", "true"));
      assertEquals(Kind.DENIED, assertThrows(StapesException.class, web::start).kind());
      assertEquals(List.of(), names(web));
      web.update(update -> update.config("security.protection.start", "false"));
      world.faults().count();
      web.start();
      int start = 1;
      for (String call : world.faults().trace()) {
        if (call.startsWith("InstanceDriver.start")) {
          break;
        }
        start++;
      }
      web.stop(Stop.FORCE);
      world.faults().failNth(start);
      assertThrows(StapesException.class, web::start);
      assertEquals(List.of("snap0"), names(web));
    }
  }

  @Test
  void what_is_no_schedule_is_refused() {
    try (EngineWorld world = world()) {
      StapesException e = assertThrows(StapesException.class, () -> volume(world, "sometimes"));
      assertEquals(Kind.INVALID, e.kind());
      Instance web = world.launch("web");
      assertThrows(
          StapesException.class,
          () -> web.update(update -> update.config("snapshots.schedule", "* * * *")));
    }
  }
}
