package dev.stapes.testkit.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.Stop;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Many threads at once. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class EngineThreadsTest {
  private static final int THREADS = 64;

  @Test
  void each_thread_has_a_whole_life_of_an_instance_of_its_own() throws Exception {
    try (EngineWorld world = EngineWorld.create()) {
      List<Callable<Void>> lives = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        String name = "box-" + i;
        lives.add(
            () -> {
              live(world.stapes(), name);
              return null;
            });
      }
      atOnce(lives);
      assertEquals(List.of(), world.stapes().instances().list());
      assertNothingIsLeft(world);
    }
  }

  private static void live(Stapes stapes, String name) {
    Instance box = stapes.instances().create(EngineWorld.spec(name).build());
    box.start();
    assertEquals(name + "\n", box.exec("echo", name).orThrow().stdout());
    box.snapshots().create("clean");
    box.exec("write", name).orThrow();
    assertEquals(name, box.files().readText("/note"));
    box.snapshots().restore("clean");
    assertEquals("fresh", box.files().readText("/note"));
    Instance copy = box.copyTo(name + "-copy");
    box.stop();
    box.rename(name + "-old");
    box.delete();
    copy.delete();
  }

  @Test
  void all_threads_make_one_instance_and_one_of_them_succeeds() throws Exception {
    try (EngineWorld world = EngineWorld.create()) {
      List<Callable<Boolean>> makers = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        makers.add(() -> allowed(EnumSet.of(Kind.CONFLICT), () -> world.launch("one")));
      }
      assertEquals(1, atOnce(makers).stream().filter(made -> made).count());
      assertEquals(1, world.stapes().instances().list().size());
      assertEquals(1, world.attached());
      world.stapes().instances().get("one").delete(Delete.FORCE);
      assertNothingIsLeft(world);
    }
  }

  @Test
  void all_threads_fight_over_one_instance_which_stays_whole() throws Exception {
    try (EngineWorld world = EngineWorld.create()) {
      Instance box = world.launch("one");
      List<Callable<Boolean>> fighters = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        int number = i;
        fighters.add(
            () -> {
              for (int round = 0; round < 4; round++) {
                int blow = number + round;
                allowed(
                    EnumSet.of(Kind.CONFLICT, Kind.BUSY, Kind.NOT_FOUND, Kind.UNAVAILABLE),
                    () -> fight(box, blow));
              }
              return true;
            });
      }
      atOnce(fighters);
      InstanceStatus status = box.info().status();
      assertEquals(status == InstanceStatus.STOPPED ? 0 : 1, world.attached(), status::toString);
      assertEquals(
          status == InstanceStatus.STOPPED ? Set.of() : Set.of(box.id()), world.room().running());
      assertTrue(world.stapes().operations().list().size() > 10);
      box.delete(Delete.FORCE);
      assertNothingIsLeft(world);
    }
  }

  private static void fight(Instance box, int blow) {
    switch (blow % 10) {
      case 0 -> box.start();
      case 1 -> box.stop(Stop.FORCE);
      case 2 -> box.restart(Stop.FORCE);
      case 3 -> box.freeze();
      case 4 -> box.unfreeze();
      case 5 -> box.snapshots().create("s" + blow % 3);
      case 6 -> box.snapshots().restore("s" + blow % 3);
      case 7 -> box.update(change -> change.config("environment.BLOW", "b" + blow));
      case 8 -> box.rename("name-" + blow % 4);
      default -> box.snapshots().delete("s" + blow % 3);
    }
  }

  /** Whether it succeeded; only refusals of some kinds are none. */
  private static boolean allowed(Set<Kind> kinds, Runnable attempt) {
    try {
      attempt.run();
      return true;
    } catch (StapesException e) {
      if (!kinds.contains(e.kind())) {
        throw new AssertionError("refused as " + e.kind(), e);
      }
      return false;
    }
  }

  private static void assertNothingIsLeft(EngineWorld world) {
    assertEquals(Set.of(), world.room().running());
    assertEquals(0, world.attached());
    world.stapes().close();
    List<String> lines =
        world.picture().lines().stream()
            .filter(
                line ->
                    line.startsWith("INSTANCE ")
                        || line.startsWith("SNAPSHOT ")
                        || line.startsWith("intents/")
                        || line.startsWith("instances/")
                        || line.startsWith("names/")
                        || line.startsWith("snapshots/"))
            .toList();
    assertEquals(List.of(), lines);
  }

  /** Lets all begin at the same moment, and waits for all; the first error is told. */
  private static <T> List<T> atOnce(List<Callable<T>> tasks) throws Exception {
    CountDownLatch begin = new CountDownLatch(1);
    ExecutorService threads = Executors.newFixedThreadPool(tasks.size());
    try {
      List<Future<T>> futures = new ArrayList<>();
      for (Callable<T> task : tasks) {
        futures.add(
            threads.submit(
                () -> {
                  begin.await();
                  return task.call();
                }));
      }
      begin.countDown();
      List<T> answers = new ArrayList<>();
      for (Future<T> future : futures) {
        answers.add(future.get(50, TimeUnit.SECONDS));
      }
      return answers;
    } catch (ExecutionException e) {
      throw new AssertionError("one of the threads failed", e);
    } finally {
      threads.shutdownNow();
    }
  }
}
