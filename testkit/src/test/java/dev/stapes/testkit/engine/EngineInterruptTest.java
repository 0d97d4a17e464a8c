package dev.stapes.testkit.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.model.InstanceKeys;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.Lifetime;
import dev.stapes.model.OperationInfo;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.InstanceDriver;
import dev.stapes.testkit.Faults;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Launches that are interrupted while the driver starts the machine. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class EngineInterruptTest {
  private static final Duration SOON = Duration.ofSeconds(60);

  /** A world in which starts of machines are the only effects: the image is unpacked already. */
  private static EngineWorld world() {
    Faults starts =
        new Faults(
            method ->
                method.getDeclaringClass() == InstanceDriver.class
                    && method.getName().equals("start"));
    EngineWorld world = EngineWorld.create(starts, EngineWorld.Setup.usual());
    world.launch("first").delete(Delete.FORCE);
    return world;
  }

  /** How a launch ended. */
  private record End(StapesException failure, boolean interrupted) {}

  /** A launch on a thread of its own, held back in the driver. */
  private static final class Launch {
    private final CompletableFuture<End> end = new CompletableFuture<>();
    private final Thread thread;

    Launch(EngineWorld world, InstanceSpec spec) throws InterruptedException {
      Faults.Block start = world.faults().blockAtNth(1);
      thread =
          new Thread(
              () -> {
                try {
                  StapesException failure =
                      assertThrows(
                          StapesException.class, () -> world.stapes().instances().launch(spec));
                  end.complete(new End(failure, Thread.currentThread().isInterrupted()));
                } catch (Error e) {
                  end.completeExceptionally(e);
                }
              });
      thread.start();
      start.awaitReached(SOON);
    }

    End end() throws Exception {
      return end.get(SOON.toSeconds(), TimeUnit.SECONDS);
    }
  }

  private static void assertNothingIsLeft(EngineWorld world, End end) {
    assertEquals(Kind.INTERRUPTED, end.failure().kind());
    assertEquals(List.of(), List.of(end.failure().getSuppressed()));
    assertEquals(List.of(), world.stapes().instances().list());
    assertEquals(0, world.attached());
    assertEquals(Set.of(), world.room().running());
    world.stapes().close();
    assertEquals(
        List.of(),
        world.picture().lines().stream().filter(line -> line.startsWith("INSTANCE ")).toList());
  }

  @Test
  void a_launch_whose_thread_is_interrupted_leaves_nothing_and_the_thread_interrupted()
      throws Exception {
    for (Lifetime lifetime : Lifetime.values()) {
      try (EngineWorld world = world()) {
        Launch launch = new Launch(world, EngineWorld.spec("box").lifetime(lifetime).build());
        launch.thread.interrupt();
        End end = launch.end();
        assertTrue(end.interrupted());
        assertNothingIsLeft(world, end);
      }
    }
  }

  @Test
  void a_launch_that_is_cancelled_leaves_nothing_and_the_thread_as_it_was() throws Exception {
    try (EngineWorld world = world()) {
      Launch launch = new Launch(world, EngineWorld.spec("box").build());
      OperationInfo start =
          world.stapes().operations().list().stream()
              .filter(info -> info.status() == OperationInfo.Status.RUNNING)
              .findFirst()
              .orElseThrow();
      assertEquals("instance-start", start.action());
      world.stapes().operations().cancel(start.id());
      End end = launch.end();
      assertFalse(end.interrupted());
      assertNothingIsLeft(world, end);
    }
  }

  @Test
  void a_launch_that_is_interrupted_leaves_nothing_whatever_it_is_protected_against()
      throws Exception {
    try (EngineWorld world = world()) {
      InstanceSpec spec =
          EngineWorld.spec("box").config(InstanceKeys.PROTECTION_DELETE.name(), "true").build();
      Launch launch = new Launch(world, spec);
      launch.thread.interrupt();
      assertNothingIsLeft(world, launch.end());
    }
  }
}
