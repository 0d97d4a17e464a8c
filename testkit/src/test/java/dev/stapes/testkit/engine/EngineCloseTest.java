package dev.stapes.testkit.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.Images;
import dev.stapes.Stapes;
import dev.stapes.model.Lifetime;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.ImageSource;
import dev.stapes.spi.InstanceDriver;
import dev.stapes.testkit.Faults;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A close while other threads are at work. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class EngineCloseTest {
  private static void assertNoInstance(EngineWorld world) {
    assertEquals(Set.of(), world.room().running());
    assertEquals(
        List.of(),
        world.picture().lines().stream()
            .filter(
                line ->
                    line.startsWith("INSTANCE ")
                        || line.startsWith("instances/")
                        || line.startsWith("intents/"))
            .toList());
  }

  @Test
  void a_launch_is_cancelled_and_has_left_nothing_when_the_close_returns() throws Exception {
    for (Lifetime lifetime : Lifetime.values()) {
      Faults starts =
          new Faults(
              method ->
                  method.getDeclaringClass() == InstanceDriver.class
                      && method.getName().equals("start"));
      try (EngineWorld world = EngineWorld.create(starts, EngineWorld.Setup.usual())) {
        world.launch("first").delete(Delete.FORCE);
        Stapes stapes = world.stapes();
        Faults.Block start = world.faults().blockAtNth(1);
        OtherThread launch =
            OtherThread.begin(
                () -> {
                  StapesException cancelled =
                      assertThrows(
                          StapesException.class,
                          () ->
                              stapes
                                  .instances()
                                  .launch(EngineWorld.spec("box").lifetime(lifetime).build()));
                  assertEquals(Kind.INTERRUPTED, cancelled.kind());
                  assertEquals(0, cancelled.getSuppressed().length);
                });
        start.awaitReached(OtherThread.SOON);
        stapes.close();
        assertNoInstance(world);
        assertFalse(launch.join(), "the thread is still interrupted");
      }
    }
  }

  /** Takes no notice of interrupts, until it is let go. */
  private static final class Stubborn implements Progress {
    private final CountDownLatch reached = new CountDownLatch(1);
    private final CountDownLatch released = new CountDownLatch(1);

    @Override
    public void update(String stage, long done, long total) {
      reached.countDown();
      boolean interrupted = false;
      while (true) {
        try {
          released.await();
          break;
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  @Test
  void whoever_closes_waits_for_operations_and_no_other_begins() throws Exception {
    try (EngineWorld world = EngineWorld.create()) {
      Stapes stapes = world.stapes();
      Stubborn listener = new Stubborn();
      OtherThread creation =
          OtherThread.begin(
              () -> stapes.instances().create(EngineWorld.spec("box").build(), listener));
      listener.reached.await();
      OtherThread close = OtherThread.begin(stapes::close).awaitWaiting();
      OtherThread second = OtherThread.begin(stapes::close);
      // The pools are still open, for the operation that is waited for.
      StapesException refused = assertThrows(StapesException.class, () -> untilRefused(world));
      assertEquals(Kind.UNAVAILABLE, refused.kind());
      close.interrupt();
      listener.released.countDown();
      assertEquals(Kind.INTERRUPTED, creation.failure().kind());
      assertTrue(close.join(), "the interrupt of the closing thread is lost");
      second.join();
      assertNoInstance(world);
    }
  }

  /** The close may not have got so far yet that it refuses. */
  private static void untilRefused(EngineWorld world) {
    while (true) {
      world.stapes().pools().list();
      Thread.onSpinWait();
    }
  }

  @Test
  void an_operation_cannot_close_what_it_is_part_of() throws Exception {
    try (EngineWorld world = EngineWorld.create()) {
      CompletableFuture<Kind> refusal = new CompletableFuture<>();
      world
          .stapes()
          .instances()
          .launch(
              EngineWorld.spec("box").build(),
              (stage, done, total) ->
                  refusal.complete(
                      assertThrows(StapesException.class, world.stapes()::close).kind()));
      assertEquals(Kind.CONFLICT, refusal.get());
      assertEquals(1, world.stapes().instances().list().size());
    }
  }

  @Test
  void an_image_import_is_cancelled() throws Exception {
    try (EngineWorld world = EngineWorld.create()) {
      CountDownLatch reached = new CountDownLatch(1);
      Images images = world.stapes().images();
      OtherThread imported =
          OtherThread.begin(() -> images.importFrom(new EndlessImage(reached), "endless"));
      reached.await();
      world.stapes().close();
      assertEquals(Kind.INTERRUPTED, imported.failure().kind());
    }
  }

  private record EndlessImage(CountDownLatch reached) implements ImageSource {
    @Override
    public String describe() {
      return "endless";
    }

    @Override
    public Fetched fetch(Context context) {
      reached.countDown();
      try {
        new CountDownLatch(1).await();
        throw new AssertionError("nobody counts down");
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new StapesException(Kind.INTERRUPTED, "image", "the fetch was interrupted", e);
      }
    }
  }
}
