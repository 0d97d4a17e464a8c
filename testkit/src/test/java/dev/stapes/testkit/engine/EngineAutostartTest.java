package dev.stapes.testkit.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.Stop;
import dev.stapes.model.Event;
import dev.stapes.model.InstanceInfo;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.OperationInfo;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Instances that start with the open, and those that start again when they end. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class EngineAutostartTest {
  private static final Duration SOON = Duration.ofSeconds(60);
  private static final String AUTOSTART = "boot.autostart";
  private static final String PRIORITY = "boot.autostart.priority";

  private final HandClock clock = new HandClock();

  private EngineWorld world() {
    return EngineWorld.create(EngineWorld.Setup.usual().clock(clock));
  }

  private static Instance create(EngineWorld world, String name, Map<String, String> config) {
    return world.stapes().instances().create(EngineWorld.spec(name).config(config).build());
  }

  private static void awaitRunning(Stapes stapes, String name) {
    stapes.instances().get(name).await(InstanceStatus.RUNNING, SOON);
  }

  @Test
  void the_open_starts_by_priority_then_by_name() {
    try (EngineWorld world = world()) {
      create(world, "z", Map.of(AUTOSTART, "true", PRIORITY, "10"));
      create(world, "c", Map.of(AUTOSTART, "true"));
      create(world, "b", Map.of(AUTOSTART, "true"));
      create(world, "a", Map.of(AUTOSTART, "true", PRIORITY, "-1"));
      create(world, "none", Map.of());
      create(world, "no", Map.of(AUTOSTART, "false", PRIORITY, "99"));
      Stapes stapes = world.reopen();
      awaitRunning(stapes, "a"); // the last one
      List<String> order =
          stapes.instances().list().stream()
              .filter(info -> info.status() == InstanceStatus.RUNNING)
              .sorted(Comparator.comparing(info -> info.lastStartedAt().orElseThrow()))
              .map(InstanceInfo::name)
              .toList();
      assertEquals(List.of("z", "b", "c", "a"), order);
    }
  }

  @Test
  void one_that_runs_still_is_left_alone() {
    try (EngineWorld world = world()) {
      Instance box = create(world, "box", Map.of(AUTOSTART, "true")).start();
      create(world, "later", Map.of(AUTOSTART, "true", PRIORITY, "-1"));
      long pid = box.state().pid().orElseThrow();
      Stapes stapes = world.reopen();
      awaitRunning(stapes, "later");
      assertEquals(pid, stapes.instances().get("box").state().pid().orElseThrow());
    }
  }

  @Test
  void one_that_does_not_start_holds_up_nobody() {
    try (EngineWorld world = world()) {
      create(
          world,
          "first",
          Map.of(AUTOSTART, "true", PRIORITY, "1", "security.protection.start", "true"));
      create(world, "second", Map.of(AUTOSTART, "true"));
      Stapes stapes = world.reopen();
      awaitRunning(stapes, "second");
      assertEquals(InstanceStatus.STOPPED, stapes.instances().get("first").info().status());
    }
  }

  @Test
  void a_delay_holds_up_the_next_one_but_not_the_close() {
    try (EngineWorld world = world()) {
      Instance first =
          create(
              world,
              "first",
              Map.of(AUTOSTART, "true", PRIORITY, "1", "boot.autostart.delay", "3600"));
      create(world, "second", Map.of(AUTOSTART, "true"));
      Stapes stapes = world.reopen();
      awaitRunning(stapes, "first");
      stapes.close(); // the time limit of this class says that it does not wait
      assertEquals(Set.of(first.id()), world.room().running());
    }
  }

  @Test
  void one_that_ends_by_itself_starts_again() {
    try (EngineWorld world = world()) {
      Instance box = create(world, "box", Map.of("boot.autorestart", "true")).start();
      long pid = box.state().pid().orElseThrow();
      assertEquals(InstanceStatus.RUNNING, afterEndOf(world, box));
      assertTrue(box.state().pid().orElseThrow() != pid);
      assertEquals(1, world.attached());
      box.stop(Stop.FORCE);
      assertEquals(InstanceStatus.STOPPED, box.info().status());
      assertEquals(Set.of(), world.room().running());
    }
  }

  @Test
  void it_starts_again_ten_times_a_minute_and_no_more() {
    try (EngineWorld world = world()) {
      Instance box = create(world, "box", Map.of("boot.autorestart", "true")).start();
      for (int i = 0; i < 10; i++) {
        assertEquals(InstanceStatus.RUNNING, afterEndOf(world, box));
      }
      assertEquals(InstanceStatus.STOPPED, afterEndOf(world, box));
      assertEquals(Set.of(), world.room().running());
      clock.advance(Duration.ofMinutes(2));
      box.start();
      assertEquals(InstanceStatus.RUNNING, afterEndOf(world, box));
    }
  }

  @Test
  void one_that_reboots_starts_again_whatever_its_config_says() {
    try (EngineWorld world = world()) {
      Instance box = create(world, "box", Map.of()).start();
      long pid = box.state().pid().orElseThrow();
      awaitNext(world, "instance-started", () -> world.end(box, true));
      assertFalse(box.state().pid().orElseThrow() == pid);
    }
  }

  /** Ends it, and waits until the engine has done what it does then. */
  private static InstanceStatus afterEndOf(EngineWorld world, Instance box) {
    try (EventRecorder events = EventRecorder.of(world.stapes())) {
      world.end(box, false);
      events.await(
          event ->
              event instanceof Event.Operation o
                  && o.operation().action().equals("instance-ended")
                  && o.operation().status() == OperationInfo.Status.SUCCESS);
      return box.info().status();
    }
  }

  /** Does something, and waits for an event that follows it. */
  static void awaitNext(EngineWorld world, String action, Runnable cause) {
    try (EventRecorder events = EventRecorder.of(world.stapes())) {
      cause.run();
      events.await(event -> event instanceof Event.Lifecycle l && l.action().equals(action));
    }
  }

  /** Does something, waits for the operation that it causes to begin, and does the next thing. */
  static void awaitOperation(EngineWorld world, String action, Runnable cause, Runnable next) {
    try (EventRecorder events = EventRecorder.of(world.stapes())) {
      cause.run();
      events.await(
          event -> event instanceof Event.Operation o && o.operation().action().equals(action));
      next.run();
    }
  }
}
