package dev.stapes.testkit.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.stapes.Delete;
import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.Stop;
import dev.stapes.model.ExecSpec;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.Lifetime;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.testkit.FakeInstances;
import dev.stapes.testkit.Faults;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Instances that end: when they are told to, by themselves, too late, or while nobody is there. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class EngineEndsTest {
  private static final Duration SOON = Duration.ofSeconds(60);

  private static Instance launch(EngineWorld world, Lifetime lifetime) {
    return world.stapes().instances().launch(EngineWorld.spec("box").lifetime(lifetime).build());
  }

  private static void assertGone(EngineWorld world) {
    assertEquals(List.of(), world.stapes().instances().list());
    assertEquals(0, world.attached());
    world.stapes().close();
    assertEquals(
        List.of(),
        world.picture().lines().stream()
            .filter(line -> line.contains("box") || line.startsWith("INSTANCE "))
            .toList());
    assertEquals(Set.of(), world.room().running());
  }

  @Test
  void a_durable_instance_that_ends_by_itself_is_stopped_and_lets_go_of_its_disk() {
    try (EngineWorld world = EngineWorld.create()) {
      Instance box = launch(world, Lifetime.DURABLE);
      world.end(box, false);
      box.await(InstanceStatus.STOPPED, SOON);
      assertEquals(0, world.attached());
      box.start();
      assertEquals(InstanceStatus.RUNNING, box.info().status());
    }
  }

  @Test
  void an_ephemeral_instance_vanishes_when_it_is_stopped() {
    try (EngineWorld world = EngineWorld.create()) {
      Instance box = launch(world, Lifetime.EPHEMERAL);
      box.snapshots().create("clean");
      box.stop();
      assertGone(world);
    }
  }

  @Test
  void an_ephemeral_instance_vanishes_when_it_ends_by_itself() {
    try (EngineWorld world = EngineWorld.create()) {
      Instance box = launch(world, Lifetime.EPHEMERAL);
      EngineAutostartTest.awaitNext(world, "instance-deleted", () -> world.end(box, false));
      assertGone(world);
    }
  }

  @Test
  void an_ephemeral_instance_that_reboots_stays() {
    try (EngineWorld world = EngineWorld.create()) {
      Instance box = launch(world, Lifetime.EPHEMERAL);
      EngineAutostartTest.awaitNext(world, "instance-started", () -> world.end(box, true));
      assertEquals(InstanceStatus.RUNNING, box.info().status());
    }
  }

  @Test
  void an_ephemeral_instance_outlives_a_close_and_vanishes_if_it_ended_meanwhile() {
    try (EngineWorld world = EngineWorld.create()) {
      Instance box = launch(world, Lifetime.EPHEMERAL);
      Stapes next = world.reopen();
      assertEquals(InstanceStatus.RUNNING, next.instances().get("box").info().status());
      next.close();
      world.end(box, false);
      world.openAgain();
      assertGone(world);
    }
  }

  @Test
  void an_ephemeral_instance_that_never_ran_outlives_a_close() {
    try (EngineWorld world = EngineWorld.create()) {
      world
          .stapes()
          .instances()
          .create(EngineWorld.spec("box").lifetime(Lifetime.EPHEMERAL).build());
      assertEquals(1, world.reopen().instances().list().size());
    }
  }

  @Test
  void a_throwaway_instance_vanishes_with_the_close() {
    try (EngineWorld world = EngineWorld.create()) {
      launch(world, Lifetime.THROWAWAY).snapshots().create("clean");
      world.reopen();
      assertGone(world);
    }
  }

  @Test
  void an_instance_that_ends_after_its_stop_was_given_up_is_stopped() {
    EngineWorld.Setup deaf = EngineWorld.Setup.usual().driver(FakeInstances::ignoringShutdown);
    try (EngineWorld world = EngineWorld.create(deaf)) {
      Instance box = launch(world, Lifetime.DURABLE);
      assertEquals(
          Kind.TIMED_OUT,
          assertThrows(StapesException.class, () -> box.stop(Stop.graceful(Duration.ofMillis(20))))
              .kind());
      assertEquals(InstanceStatus.RUNNING, box.info().status());
      assertEquals(0, box.exec("true").exitCode());
      world.end(box, false);
      box.await(InstanceStatus.STOPPED, SOON);
      assertEquals(0, world.attached());
      box.start();
      box.delete(Delete.FORCE);
      assertGone(world);
    }
  }

  @Test
  void who_waits_can_wait_as_long_as_a_duration_gets() {
    Duration forever = ChronoUnit.FOREVER.getDuration();
    try (EngineWorld world = EngineWorld.create()) {
      Instance box = launch(world, Lifetime.DURABLE);
      box.await(InstanceStatus.RUNNING, forever);
      assertEquals(0, box.exec(ExecSpec.builder("true").timeout(forever).build()).exitCode());
      box.stop(Stop.graceful(forever));
      assertEquals(InstanceStatus.STOPPED, box.info().status());
    }
  }

  @Test
  void an_instance_that_ends_while_its_config_is_changed_is_stopped() throws Exception {
    Faults faults = new Faults();
    ExecutorService threads = Executors.newSingleThreadExecutor();
    try (EngineWorld world = EngineWorld.create(faults, EngineWorld.Setup.usual())) {
      Instance box = launch(world, Lifetime.DURABLE);
      Faults.Block update = faults.blockAtNth(1);
      Future<?> changing =
          threads.submit(() -> box.update(change -> change.config("environment.NEW", "set")));
      update.awaitReached(SOON);
      EngineAutostartTest.awaitOperation(
          world, "instance-ended", () -> world.end(box, false), update::release);
      changing.get(20, TimeUnit.SECONDS);
      box.await(InstanceStatus.STOPPED, SOON);
      assertEquals(0, world.attached());
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void the_end_of_the_machine_before_a_restart_is_not_that_of_the_one_after() {
    try (EngineWorld world = EngineWorld.create()) {
      Instance box = launch(world, Lifetime.DURABLE);
      for (int i = 0; i < 50; i++) {
        box.restart(Stop.FORCE);
        assertEquals(InstanceStatus.RUNNING, box.info().status());
      }
      world.reopen().instances().get("box").stop();
      assertEquals(Set.of(), world.room().running());
      assertEquals(0, world.attached());
    }
  }

  @Test
  void what_runs_or_is_frozen_is_found_by_the_next_open() {
    try (EngineWorld world = EngineWorld.create(EngineWorld.Setup.usual().onSqlite())) {
      Instance box = launch(world, Lifetime.DURABLE);
      box.freeze();
      Stapes next = world.reopen();
      Instance same = next.instances().get(box.id());
      assertEquals(InstanceStatus.FROZEN, same.info().status());
      same.unfreeze();
      assertEquals("fresh", same.files().readText("/note"));
      same.stop();
      assertEquals(0, world.attached());
    }
  }
}
