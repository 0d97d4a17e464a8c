package dev.stapes.testkit.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Events;
import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.Stop;
import dev.stapes.model.Event;
import dev.stapes.model.ImageInfo;
import dev.stapes.model.OperationInfo;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.ImageSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Images are changed as all else is: by operations, with events. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class EngineImagesTest {
  private static final Duration SOON = Duration.ofSeconds(60);

  /** An image that is never ready. */
  private record Endless(CountDownLatch begun) implements ImageSource {
    @Override
    public String describe() {
      return "endless";
    }

    @Override
    public Fetched fetch(Context context) {
      try {
        Files.writeString(context.work().resolve("half"), "half");
        begun.countDown();
        new CountDownLatch(1).await();
        throw new AssertionError("nobody counts it down");
      } catch (IOException e) {
        throw new AssertionError(e);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new StapesException(Kind.INTERRUPTED, "endless", "interrupted", e);
      }
    }
  }

  private static List<String> archives(EngineWorld world) throws IOException {
    try (Stream<Path> files = Files.list(world.root().resolve("images"))) {
      return files.map(file -> file.getFileName().toString()).toList();
    }
  }

  private static String line(Event event) {
    if (event instanceof Event.Lifecycle happened) {
      return happened.action() + ": " + happened.subject() + " " + happened.details();
    }
    OperationInfo operation = ((Event.Operation) event).operation();
    return operation.action() + " " + operation.status() + ": " + operation.subject();
  }

  @Test
  void each_change_of_an_image_is_an_operation_with_events() throws IOException {
    try (EngineWorld world = EngineWorld.create();
        EventRecorder events = EventRecorder.of(world.stapes())) {
      Stapes stapes = world.stapes();
      ImageInfo image = stapes.images().importFrom(SmallImage.of("new"), "a", "b", "a");
      assertEquals(Set.of("a", "b"), image.aliases());
      String id = image.fingerprint();
      Path target = world.root().resolve("exported");
      stapes.images().importFrom(SmallImage.of("new"), "b", "c");
      stapes.images().addAlias("a", "d");
      stapes.images().addAlias("a", "d");
      stapes.images().removeAlias("d");
      stapes.images().export("a", target);
      stapes.images().delete("a");
      List<String> told =
          events.await(event -> line(event).startsWith("image-delete SUCCESS")).stream()
              .filter(event -> !line(event).contains(" RUNNING"))
              .map(EngineImagesTest::line)
              .toList();
      assertEquals(
          List.of(
              "image-created: image " + id + " {source=small image}",
              "image-alias-created: image alias a {target=" + id + "}",
              "image-alias-created: image alias b {target=" + id + "}",
              "image-create SUCCESS: image a",
              "image-alias-created: image alias c {target=" + id + "}",
              "image-create SUCCESS: image b",
              "image-alias-created: image alias d {target=" + id + "}",
              "image-alias-create SUCCESS: image alias d",
              "image-alias-create SUCCESS: image alias d",
              "image-alias-deleted: image alias d {target=" + id + "}",
              "image-alias-delete SUCCESS: image alias d",
              "image-retrieved: image " + id + " {target=" + target + "}",
              "image-export SUCCESS: image a",
              "image-deleted: image " + id + " {}",
              "image-delete SUCCESS: image a"),
          told);
      assertEquals(image.size().bytes(), Files.size(target));
    }
  }

  @Test
  void a_change_that_fails_is_an_operation_that_failed_and_no_event() {
    try (EngineWorld world = EngineWorld.create();
        EventRecorder events = EventRecorder.of(world.stapes())) {
      assertThrows(StapesException.class, () -> world.stapes().images().delete("none"));
      List<Event> told = events.await(event -> line(event).contains("FAILURE"));
      assertEquals(2, told.size(), told::toString);
    }
  }

  @Test
  void an_import_that_is_cancelled_ends_and_leaves_nothing() throws Exception {
    ExecutorService threads = Executors.newSingleThreadExecutor();
    try (EngineWorld world = EngineWorld.create()) {
      Stapes stapes = world.stapes();
      List<String> before = archives(world);
      CountDownLatch begun = new CountDownLatch(1);
      Future<?> importing =
          threads.submit(() -> stapes.images().importFrom(new Endless(begun), "endless"));
      assertTrue(begun.await(20, TimeUnit.SECONDS));
      OperationInfo operation = stapes.operations().list().get(0);
      assertEquals(
          List.of("image-create", "image endless", OperationInfo.Status.RUNNING),
          List.of(operation.action(), operation.subject(), operation.status()));
      assertEquals(
          Kind.TIMED_OUT,
          assertThrows(
                  StapesException.class,
                  () -> stapes.operations().await(operation.id(), Duration.ZERO))
              .kind());
      stapes.operations().cancel(operation.id());
      OperationInfo ended = stapes.operations().await(operation.id(), SOON);
      assertEquals(OperationInfo.Status.CANCELLED, ended.status());
      assertEquals(ended, stapes.operations().get(operation.id()));
      assertEquals(ended, stapes.operations().await(operation.id(), Duration.ZERO));
      ExecutionException e =
          assertThrows(ExecutionException.class, () -> importing.get(20, TimeUnit.SECONDS));
      assertEquals(Kind.INTERRUPTED, assertInstanceOf(StapesException.class, e.getCause()).kind());
      assertFalse(threads.submit(Thread::interrupted).get(), "its thread is as it was");
      assertEquals(before, archives(world));
      assertEquals(1, stapes.images().list().size());
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void an_operation_that_nobody_knows_is_not_found() {
    try (EngineWorld world = EngineWorld.create()) {
      for (StapesException e :
          List.of(
              assertThrows(StapesException.class, () -> world.stapes().operations().get(7)),
              assertThrows(
                  StapesException.class, () -> world.stapes().operations().await(7, SOON)))) {
        assertEquals(Map.entry(Kind.NOT_FOUND, "operation 7"), Map.entry(e.kind(), e.subject()));
      }
    }
  }

  @Test
  void an_event_that_is_expected_before_it_is_caused_is_not_missed() {
    try (EngineWorld world = EngineWorld.create()) {
      Instance box = world.launch("box");
      Stapes stapes = world.stapes();
      try (Events.Expectation stopped =
          stapes.events().expect(event -> line(event).startsWith("instance-stopped"))) {
        box.stop(Stop.FORCE);
        Event event = stopped.await(Duration.ZERO);
        assertEquals("instance box", ((Event.Lifecycle) event).subject());
        assertEquals(
            Kind.TIMED_OUT,
            assertThrows(StapesException.class, () -> stopped.await(Duration.ZERO)).kind());
      }
      assertEquals(
          Kind.TIMED_OUT,
          assertThrows(
                  StapesException.class,
                  () ->
                      stapes
                          .events()
                          .await(
                              event -> line(event).startsWith("instance-stopped"), Duration.ZERO))
              .kind());
    }
  }
}
