package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.qmp.RawEvent;
import dev.stapes.qmp.qemu.BlockIoErrorEvent;
import dev.stapes.qmp.qemu.ResetEvent;
import dev.stapes.qmp.qemu.ResumeEvent;
import dev.stapes.qmp.qemu.RunState;
import dev.stapes.qmp.qemu.StopEvent;
import dev.stapes.qmp.qemu.WatchdogEvent;
import dev.stapes.spi.Machine.Incident;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class VmConditionTest {
  private final AtomicLong nanoTime = new AtomicLong();
  private final VmCondition condition = new VmCondition(nanoTime::get);
  private final List<Incident> told = new ArrayList<>();

  @BeforeEach
  void listen() {
    condition.listen(told::add);
  }

  private static RawEvent event(String name, ObjectNode data) {
    return new RawEvent(name, Instant.now(), data);
  }

  private static ObjectNode object() {
    return JsonNodeFactory.instance.objectNode();
  }

  private static BlockIoErrorEvent error(String action) {
    return BlockIoErrorEvent.from(
        event(
            "BLOCK_IO_ERROR",
            object()
                .put("device", "")
                .put("node-name", "root")
                .put("operation", "write")
                .put("action", action)
                .put("nospace", true)
                .put("reason", "No space left on device")));
  }

  private void stop() {
    condition.hear(StopEvent.from(event("STOP", object())));
  }

  @Test
  void who_suspends_it_freezes_it() {
    assertEquals(InstanceStatus.RUNNING, condition.status());
    stop();
    assertEquals(InstanceStatus.FROZEN, condition.status());
    assertTrue(condition.isFrozen());
    StapesException e =
        assertThrows(StapesException.class, () -> condition.requireGoing("instance x"));
    assertEquals(Kind.UNAVAILABLE, e.kind());
    condition.hear(ResumeEvent.from(event("RESUME", object())));
    assertEquals(InstanceStatus.RUNNING, condition.status());
    condition.requireGoing("instance x");
    assertEquals(List.of(), told);
  }

  @Test
  void what_is_told_late_of_an_earlier_suspension_does_not_count() {
    RawEvent late = event("STOP", object());
    condition.suspend(() -> {});
    condition.resume(() -> condition.hear(StopEvent.from(old(late))));
    assertTrue(condition.isGoing());

    RawEvent again = event("RESUME", object());
    condition.suspend(() -> {});
    condition.hear(ResumeEvent.from(old(again)));
    assertEquals(InstanceStatus.FROZEN, condition.status());
  }

  @Test
  void a_clock_that_was_set_back_hides_no_failure_and_nothing_for_long() {
    List<Runnable> behind = new ArrayList<>();
    condition.askAfterStops(behind::add, () -> RunState.INTERNAL_ERROR);
    condition.resume(() -> {});
    condition.hear(StopEvent.from(old(event("STOP", object()))));
    assertEquals(InstanceStatus.RUNNING, condition.status());
    behind.remove(0).run();
    assertEquals(Optional.of("internal-error"), condition.failure());

    condition.resume(() -> {});
    nanoTime.addAndGet(Duration.ofSeconds(30).toNanos());
    condition.hear(StopEvent.from(old(event("STOP", object()))));
    assertEquals(InstanceStatus.FROZEN, condition.status());
  }

  /** The clock may stand still between two looks. */
  private static RawEvent old(RawEvent event) {
    return new RawEvent(event.eventName(), event.at().minusSeconds(1), event.data());
  }

  @Test
  void a_stop_that_nobody_asked_for_is_asked_about() {
    List<Runnable> behind = new ArrayList<>();
    AtomicReference<RunState> state = new AtomicReference<>(RunState.PAUSED);
    condition.askAfterStops(behind::add, state::get);
    condition.suspend(this::stop);
    assertEquals(InstanceStatus.FROZEN, condition.status());
    assertEquals(List.of(), behind);

    condition.resume(() -> {});
    stop(); // somebody else at its monitor
    behind.remove(0).run();
    assertEquals(InstanceStatus.FROZEN, condition.status());

    condition.resume(() -> {});
    state.set(RunState.INTERNAL_ERROR);
    stop();
    assertEquals(InstanceStatus.FROZEN, condition.status());
    behind.remove(0).run();
    assertEquals(Optional.of("internal-error"), condition.failure());
    assertEquals("instance-error", told.get(0).action());
    assertEquals("internal-error", told.get(0).details().get("reason"));
    assertEquals(1, told.size());
  }

  @Test
  void what_is_learned_too_late_counts_for_nothing() {
    List<Runnable> behind = new ArrayList<>();
    condition.askAfterStops(behind::add, () -> RunState.INTERNAL_ERROR);
    stop();
    condition.resume(() -> {});
    behind.remove(0).run();
    assertEquals(InstanceStatus.RUNNING, condition.status());

    condition.hear(error("stop"));
    stop(); // it is known why
    assertEquals(List.of(), behind);

    condition.resume(() -> {});
    condition.askAfterStops(
        behind::add,
        () -> {
          throw new StapesException(Kind.UNAVAILABLE, "instance x", "its emulator is gone");
        });
    stop();
    behind.remove(0).run();
    assertEquals(InstanceStatus.FROZEN, condition.status());
    condition.askAfterStops(
        task -> {
          throw new RejectedExecutionException();
        },
        () -> RunState.PAUSED);
    stop();
    assertEquals(InstanceStatus.FROZEN, condition.status());
  }

  @Test
  void one_that_went_on_goes_on_although_its_answer_got_lost() {
    stop();
    assertThrows(
        IllegalStateException.class,
        () ->
            condition.resume(
                () -> {
                  condition.hear(ResumeEvent.from(event("RESUME", object())));
                  throw new IllegalStateException();
                }));
    assertEquals(InstanceStatus.RUNNING, condition.status());
  }

  @Test
  void a_full_disk_is_a_failure_until_it_goes_on() {
    condition.hear(error("stop"));
    stop();
    assertEquals(InstanceStatus.ERROR, condition.status());
    assertFalse(condition.isFrozen());
    assertEquals(Optional.of("io-error"), condition.failure());
    assertEquals("instance-error", told.get(0).action());
    assertEquals("true", told.get(0).details().get("no_space"));
    assertEquals("root", told.get(0).details().get("device"));
    condition.resume(() -> condition.hear(error("stop"))); // it fails again at once
    assertEquals(InstanceStatus.ERROR, condition.status());
    assertThrows(
        IllegalStateException.class,
        () ->
            condition.resume(
                () -> {
                  throw new IllegalStateException();
                }));
    assertEquals(InstanceStatus.ERROR, condition.status());
    condition.resume(() -> {});
    assertEquals(InstanceStatus.RUNNING, condition.status());
  }

  @Test
  void an_error_that_the_guest_is_told_of_is_none_of_the_machine() {
    condition.hear(error("report"));
    assertEquals(InstanceStatus.RUNNING, condition.status());
    assertEquals(List.of(), told);
  }

  @Test
  void a_reset_ends_a_failure() {
    condition.found(RunState.IO_ERROR);
    assertEquals(InstanceStatus.ERROR, condition.status());
    condition.hear(
        ResetEvent.from(event("RESET", object().put("guest", true).put("reason", "guest-reset"))));
    assertEquals(InstanceStatus.RUNNING, condition.status());
    assertEquals("instance-restarted", told.get(0).action());
  }

  private static WatchdogEvent watchdog(String action) {
    return WatchdogEvent.from(event("WATCHDOG", object().put("action", action)));
  }

  @Test
  void a_watchdog_that_stops_it_is_a_failure_until_it_goes_on() {
    condition.hear(watchdog("pause"));
    stop();
    assertEquals(InstanceStatus.ERROR, condition.status());
    assertEquals(Optional.of("watchdog"), condition.failure());
    assertEquals(
        List.of("instance-watchdog", "instance-error"),
        told.stream().map(Incident::action).toList());
    assertEquals("pause", told.get(0).details().get("action"));
    condition.hear(ResumeEvent.from(event("RESUME", object())));
    assertEquals(InstanceStatus.RUNNING, condition.status());
    condition.found(RunState.WATCHDOG);
    assertEquals(InstanceStatus.ERROR, condition.status());
  }

  @Test
  void any_other_action_of_a_watchdog_is_told_alone() {
    condition.hear(watchdog("reset"));
    assertEquals(InstanceStatus.RUNNING, condition.status());
    assertEquals(List.of("instance-watchdog"), told.stream().map(Incident::action).toList());
  }

  @Test
  void it_is_found_as_it_is() {
    condition.found(RunState.PAUSED);
    assertEquals(InstanceStatus.FROZEN, condition.status());
    condition.found(RunState.RUNNING);
    assertEquals(InstanceStatus.RUNNING, condition.status());
    condition.found(RunState.INTERNAL_ERROR);
    assertEquals(Optional.of("internal-error"), condition.failure());
  }
}
