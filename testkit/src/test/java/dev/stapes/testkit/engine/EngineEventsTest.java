package dev.stapes.testkit.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Events;
import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.Stop;
import dev.stapes.model.Event;
import dev.stapes.model.OperationInfo;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Machine;
import dev.stapes.testkit.Faults;
import java.time.Duration;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What listeners are told, and what the list of operations says. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class EngineEventsTest {
  private static boolean isLifecycle(Event event, String action) {
    return event instanceof Event.Lifecycle happened && happened.action().equals(action);
  }

  private static OperationInfo operation(Event event) {
    return ((Event.Operation) event).operation();
  }

  @Test
  void the_events_of_a_life_come_in_order() {
    try (EngineWorld world = EngineWorld.create();
        EventRecorder events = EventRecorder.of(world.stapes())) {
      Instance box = world.launch("box");
      box.freeze();
      box.unfreeze();
      box.update(change -> change.description("mine"));
      box.snapshots().create("clean");
      box.snapshots().restore("clean");
      box.snapshots().delete("clean");
      box.stop();
      box.rename("old");
      box.delete();
      List<String> told =
          events.await(event -> isLifecycle(event, "instance-deleted")).stream()
              .filter(Event.Lifecycle.class::isInstance)
              .map(Event.Lifecycle.class::cast)
              .map(event -> event.action() + ": " + event.subject())
              .toList();
      assertEquals(
          List.of(
              "instance-created: instance box",
              "instance-started: instance box",
              "instance-paused: instance box",
              "instance-resumed: instance box",
              "instance-updated: instance box",
              "instance-snapshot-created: snapshot box/clean",
              "instance-stopped: instance box",
              "instance-restored: instance box",
              "instance-started: instance box",
              "instance-snapshot-deleted: snapshot box/clean",
              "instance-shutdown: instance box",
              "instance-renamed: instance old",
              "instance-deleted: instance old"),
          told);
    }
  }

  @Test
  void what_happens_to_a_machine_is_told_in_the_order_in_which_it_happened() {
    try (EngineWorld world = EngineWorld.create();
        EventRecorder events = EventRecorder.of(world.stapes())) {
      Instance box = world.launch("box");
      List<String> happened = IntStream.range(0, 500).mapToObj(i -> "instance-" + i).toList();
      for (String action : happened) {
        world.room().tell(box.id(), new Machine.Incident(action, new TreeMap<>()));
      }
      List<String> told =
          events.await(event -> isLifecycle(event, "instance-499")).stream()
              .filter(Event.Lifecycle.class::isInstance)
              .map(event -> ((Event.Lifecycle) event).action())
              .filter(happened::contains)
              .toList();
      assertEquals(happened, told);
    }
  }

  @Test
  void a_lifecycle_event_comes_between_begin_and_end_of_its_operation() {
    try (EngineWorld world = EngineWorld.create()) {
      Instance box = world.launch("box");
      try (EventRecorder events = EventRecorder.of(world.stapes())) {
        box.stop(Stop.FORCE);
        List<Event> told =
            events.await(
                event ->
                    event instanceof Event.Operation
                        && operation(event).status() != OperationInfo.Status.RUNNING);
        assertEquals(3, told.size(), told::toString);
        assertEquals(OperationInfo.Status.RUNNING, operation(told.get(0)).status());
        assertTrue(isLifecycle(told.get(1), "instance-stopped"), told::toString);
        assertEquals(OperationInfo.Status.SUCCESS, operation(told.get(2)).status());
        assertEquals("instance-stop", operation(told.get(2)).action());
      }
    }
  }

  @Test
  void a_failed_operation_is_told_with_its_error_and_no_lifecycle_event() {
    try (EngineWorld world = EngineWorld.create()) {
      world.launch("box");
      try (EventRecorder events = EventRecorder.of(world.stapes())) {
        StapesException error = assertThrows(StapesException.class, () -> world.launch("box"));
        List<Event> told =
            events.await(
                event ->
                    event instanceof Event.Operation
                        && operation(event).status() == OperationInfo.Status.FAILURE);
        assertEquals(2, told.size(), told::toString);
        assertEquals(String.valueOf(error.getMessage()), operation(told.get(1)).error().orElse(""));
      }
    }
  }

  @Test
  void a_slow_listener_is_told_how_much_it_missed_and_then_the_newest() throws Exception {
    try (EngineWorld world = EngineWorld.create()) {
      Instance box = world.launch("box");
      CountDownLatch busy = new CountDownLatch(1);
      CountDownLatch goOn = new CountDownLatch(1);
      CountDownLatch ended = new CountDownLatch(1);
      List<Event> slow = new CopyOnWriteArrayList<>();
      try (EventRecorder all = EventRecorder.of(world.stapes());
          Events.Subscription subscription =
              world
                  .stapes()
                  .events()
                  .subscribe(
                      event -> {
                        slow.add(event);
                        busy.countDown();
                        await(goOn);
                        if (isEndOfStop(event)) {
                          ended.countDown();
                        }
                      })) {
        box.freeze();
        await(busy);
        box.unfreeze();
        for (int i = 0; i < 400; i++) {
          String text = "number " + i;
          box.update(change -> change.description(text));
        }
        box.stop();
        List<Event> told = all.await(EngineEventsTest::isEndOfStop);
        goOn.countDown();
        await(ended);
        Event.Missed missed = (Event.Missed) slow.get(1);
        List<Event> newest = slow.subList(2, slow.size());
        assertEquals(told.size(), 1 + missed.count() + newest.size());
        assertTrue(missed.count() > 0);
        assertTrue(told.subList(told.size() - newest.size(), told.size()).equals(newest));
      }
    }
  }

  private static boolean isEndOfStop(Event event) {
    return event instanceof Event.Operation
        && operation(event).action().equals("instance-stop")
        && operation(event).status() == OperationInfo.Status.SUCCESS;
  }

  private static void await(CountDownLatch latch) {
    try {
      if (!latch.await(20, TimeUnit.SECONDS)) {
        throw new AssertionError("it did not happen");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }

  @Test
  void a_cancelled_operation_rolls_back_and_is_listed_first() throws Exception {
    Faults faults = new Faults();
    ExecutorService threads = Executors.newSingleThreadExecutor();
    try (EngineWorld world = EngineWorld.create(faults, EngineWorld.Setup.usual())) {
      Stapes stapes = world.stapes();
      Instance box = world.launch("box");
      Faults.Block copy = faults.blockAtNth(2); // the first is the record of the intent
      Future<Kind> copying =
          threads.submit(
              () -> assertThrows(StapesException.class, () -> box.copyTo("copy")).kind());
      copy.awaitReached(Duration.ofSeconds(20));
      OperationInfo running = stapes.operations().list().get(0);
      assertEquals(OperationInfo.Status.RUNNING, running.status());
      assertEquals("instance copy", running.subject());
      stapes.operations().cancel(running.id());
      assertEquals(Kind.INTERRUPTED, copying.get(20, TimeUnit.SECONDS));
      OperationInfo over = stapes.operations().list().get(0);
      assertEquals(running.id(), over.id());
      assertEquals(OperationInfo.Status.CANCELLED, over.status());
      assertEquals(
          Kind.CONFLICT,
          assertThrows(StapesException.class, () -> stapes.operations().cancel(over.id())).kind());
      assertEquals(1, stapes.instances().list().size());
      box.copyTo("copy");
    } finally {
      threads.shutdownNow();
    }
  }
}
