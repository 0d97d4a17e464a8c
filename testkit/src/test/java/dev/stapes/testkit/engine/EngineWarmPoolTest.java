package dev.stapes.testkit.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.WarmPool;
import dev.stapes.model.InstanceId;
import dev.stapes.model.InstanceInfo;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.Lifetime;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.model.WarmPoolSpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Instances that wait to be taken. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class EngineWarmPoolTest {
  private static final Duration SOON = Duration.ofSeconds(30);

  private static WarmPoolSpec spec(Lifetime lifetime, int size) {
    return WarmPoolSpec.of(EngineWorld.spec("warm").lifetime(lifetime).build(), size);
  }

  private static WarmPool full(Stapes stapes, WarmPoolSpec spec) {
    WarmPool pool = stapes.instances().warmPool(spec);
    pool.awaitFull(SOON);
    return pool;
  }

  private static List<String> names(Stapes stapes) {
    return stapes.instances().list().stream().map(InstanceInfo::name).toList();
  }

  private static Kind kindOf(org.junit.jupiter.api.function.Executable action) {
    return assertThrows(StapesException.class, action).kind();
  }

  @Test
  void what_is_taken_ran_already_and_another_one_waits_soon() {
    try (EngineWorld world = EngineWorld.create()) {
      WarmPool pool = full(world.stapes(), spec(Lifetime.THROWAWAY, 2));
      Set<InstanceId> waited = new HashSet<>();
      world.stapes().instances().list().forEach(info -> waited.add(info.id()));
      assertEquals(2, waited.size());
      assertTrue(names(world.stapes()).stream().allMatch(name -> name.startsWith("warm-")));

      Instance box = pool.take("box");

      assertTrue(waited.contains(box.id()));
      assertEquals("box", box.info().name());
      assertEquals(InstanceStatus.RUNNING, box.info().status());
      assertEquals(box.id(), world.stapes().instances().get("box").id());
      assertFalse(box.info().config().values().containsKey("volatile.warm.pool"));
      pool.awaitFull(SOON);
      assertEquals(3, world.stapes().instances().list().size());
      assertEquals(1, pool.info().taken());
      assertEquals(0, pool.info().missed());
    }
  }

  @Test
  void limits_are_set_when_it_is_taken() {
    try (EngineWorld world = EngineWorld.create()) {
      WarmPool pool = full(world.stapes(), spec(Lifetime.THROWAWAY, 1));
      Instance box =
          pool.take(
              "box",
              update -> update.limits(l -> l.memory(Size.ofMebibytes(64))).description("mine"));
      assertEquals("64MiB", box.info().config().values().get("limits.memory"));
      assertEquals("mine", box.info().description());
    }
  }

  @Test
  void where_none_waits_one_is_started_as_it_would_have_been_taken() {
    try (EngineWorld world = EngineWorld.create()) {
      WarmPool pool = full(world.stapes(), spec(Lifetime.THROWAWAY, 1));
      world.stapes().images().addAlias(EngineWorld.IMAGE, "other");
      world.stapes().images().removeAlias(EngineWorld.IMAGE);
      pool.take("first"); // cannot be replaced: its image has lost its name
      assertEquals(Kind.NOT_FOUND, kindOf(() -> pool.take("second")));
      world.stapes().images().addAlias("other", EngineWorld.IMAGE);
      Instance second = pool.take("second", update -> update.config("user.mine", "yes"));
      assertEquals("yes", second.info().config().values().get("user.mine"));
      assertEquals(InstanceStatus.RUNNING, second.info().status());
      assertEquals(3, pool.info().taken() + pool.info().missed());
    }
  }

  @Test
  void a_request_that_is_no_good_leaves_it_waiting() {
    try (EngineWorld world = EngineWorld.create()) {
      WarmPool pool = full(world.stapes(), spec(Lifetime.THROWAWAY, 1));
      world.launch("taken");
      List<String> before = names(world.stapes());
      assertEquals(Kind.CONFLICT, kindOf(() -> pool.take("taken")));
      assertEquals(Kind.INVALID, kindOf(() -> pool.take("no name")));
      assertEquals(
          Kind.INVALID, kindOf(() -> pool.take("box", u -> u.config("limits.memory", "much"))));
      assertEquals(before, names(world.stapes()));
      assertEquals(1, pool.info().ready());
      assertEquals(0, pool.info().taken());
      assertEquals(InstanceStatus.RUNNING, pool.take("box").info().status());
    }
  }

  @Test
  void one_that_ends_while_it_waits_is_replaced() {
    for (Lifetime lifetime : Lifetime.values()) {
      try (EngineWorld world = EngineWorld.create()) {
        WarmPool pool = full(world.stapes(), spec(lifetime, 1));
        Instance dead = world.stapes().instances().get(names(world.stapes()).get(0));
        EngineAutostartTest.awaitNext(world, "instance-started", () -> world.end(dead, false));
        pool.awaitFull(SOON);
        Instance box = pool.take("box");
        assertNotEquals(dead.id(), box.id());
        assertEquals(InstanceStatus.RUNNING, box.info().status());
        pool.delete();
        assertEquals(List.of("box"), names(world.stapes()));
      }
    }
  }

  @Test
  void one_that_is_deleted_while_it_waits_is_replaced() {
    try (EngineWorld world = EngineWorld.create()) {
      WarmPool pool = full(world.stapes(), spec(Lifetime.DURABLE, 1));
      Instance waiting = world.stapes().instances().get(names(world.stapes()).get(0));
      EngineAutostartTest.awaitNext(world, "instance-started", () -> waiting.delete(Delete.FORCE));
      pool.awaitFull(SOON);
      assertNotEquals(waiting.id(), pool.take("box").id());
    }
  }

  @Test
  void throwaway_ones_end_with_the_pool_and_what_was_taken_does_not() {
    try (EngineWorld world = EngineWorld.create()) {
      WarmPool pool = full(world.stapes(), spec(Lifetime.THROWAWAY, 3));
      Instance box = pool.take("box");
      pool.close();
      pool.close();
      assertEquals(List.of("box"), names(world.stapes()));
      assertEquals(InstanceStatus.RUNNING, box.info().status());
      assertEquals(Kind.UNAVAILABLE, kindOf(() -> pool.take("other")));
      assertEquals(Kind.UNAVAILABLE, kindOf(() -> pool.resize(1)));
      assertEquals(Kind.UNAVAILABLE, kindOf(() -> pool.awaitFull(SOON)));
    }
  }

  @Test
  void what_is_taken_as_the_pool_is_closed_is_not_ended_with_it() {
    try (EngineWorld world = EngineWorld.create()) {
      for (int i = 0; i < 50; i++) {
        WarmPool pool = full(world.stapes(), spec(Lifetime.THROWAWAY, 1));
        Instance box = pool.take("box" + i);
        pool.close();
        assertEquals(InstanceStatus.RUNNING, box.info().status());
        assertEquals(i + 1, world.stapes().instances().list().size());
      }
    }
  }

  @Test
  void durable_ones_wait_for_the_next_open_unless_the_template_is_another() {
    try (EngineWorld world = EngineWorld.create()) {
      full(world.stapes(), spec(Lifetime.DURABLE, 2));
      List<String> before = names(world.stapes());
      Stapes next = world.reopen();
      assertEquals(before, names(next));
      WarmPool again = full(next, spec(Lifetime.DURABLE, 2));
      assertEquals(before, names(next));
      again.close();
      assertEquals(before, names(next));

      WarmPoolSpec other =
          WarmPoolSpec.of(EngineWorld.spec("warm").config("user.other", "yes").build(), 1);
      WarmPool changed = full(next, other);
      assertEquals("yes", changed.take("box").info().config().values().get("user.other"));
      changed.delete();
      assertEquals(List.of("box"), names(next));
    }
  }

  @Test
  void a_close_of_stapes_leaves_no_throwaway_one() {
    try (EngineWorld world = EngineWorld.create()) {
      full(world.stapes(), spec(Lifetime.THROWAWAY, 2).withStarters(2));
      world.stapes().close();
      assertEquals(Set.of(), world.room().running());
      assertEquals(0, world.attached());
    }
  }

  @Test
  void it_grows_and_shrinks() {
    try (EngineWorld world = EngineWorld.create()) {
      WarmPool pool = full(world.stapes(), spec(Lifetime.THROWAWAY, 1));
      pool.resize(3);
      pool.awaitFull(SOON);
      assertEquals(3, pool.info().ready());
      EngineAutostartTest.awaitNext(world, "instance-deleted", () -> pool.resize(2));
      assertEquals(2, pool.info().ready());
      assertEquals(2, pool.info().spec().size());
    }
  }

  @Test
  void sizes_names_and_images_are_checked() {
    try (EngineWorld world = EngineWorld.create()) {
      assertEquals(Kind.INVALID, kindOf(() -> spec(Lifetime.THROWAWAY, 0)));
      assertEquals(Kind.INVALID, kindOf(() -> spec(Lifetime.THROWAWAY, 1).withStarters(0)));
      assertEquals(
          Kind.INVALID, kindOf(() -> WarmPoolSpec.of(EngineWorld.spec("w".repeat(49)).build(), 1)));
      WarmPoolSpec missing =
          WarmPoolSpec.of(dev.stapes.model.InstanceSpec.container("warm", "missing").build(), 1);
      assertEquals(Kind.NOT_FOUND, kindOf(() -> world.stapes().instances().warmPool(missing)));
      full(world.stapes(), spec(Lifetime.THROWAWAY, 1));
      assertEquals(
          Kind.CONFLICT,
          kindOf(() -> world.stapes().instances().warmPool(spec(Lifetime.THROWAWAY, 1))));
    }
  }

  @Test
  void a_start_that_fails_is_told_and_tried_again() {
    try (EngineWorld world = EngineWorld.create()) {
      WarmPool pool = full(world.stapes(), spec(Lifetime.THROWAWAY, 1));
      world.stapes().images().delete(EngineWorld.IMAGE);
      pool.take("box");
      while (pool.info().failure().isEmpty()) {
        Thread.onSpinWait();
      }
      String why =
          String.valueOf(
              assertThrows(StapesException.class, () -> pool.awaitFull(Duration.ofMillis(500)))
                  .getMessage());
      assertTrue(why.contains("0 of 1 wait"), why);
      assertTrue(pool.info().failure().orElse(why).contains(EngineWorld.IMAGE), why);
      world.stapes().images().importFrom(SmallImage.of("fresh"), EngineWorld.IMAGE);
      pool.awaitFull(SOON);
      assertTrue(pool.info().failure().isEmpty());
    }
  }

  @Test
  void many_threads_take_different_ones() throws Exception {
    try (EngineWorld world = EngineWorld.create()) {
      WarmPool pool = full(world.stapes(), spec(Lifetime.THROWAWAY, 4).withStarters(2));
      ExecutorService threads = Executors.newFixedThreadPool(8);
      try {
        List<Callable<InstanceId>> takes = new ArrayList<>();
        for (int i = 0; i < 24; i++) {
          String name = "box" + i;
          takes.add(() -> pool.take(name).id());
        }
        Set<InstanceId> ids = new HashSet<>();
        for (Future<InstanceId> taken : threads.invokeAll(takes)) {
          ids.add(taken.get());
        }
        assertEquals(24, ids.size());
        assertEquals(24, pool.info().taken() + pool.info().missed());
        pool.awaitFull(SOON);
        assertEquals(28, world.stapes().instances().list().size());
      } finally {
        threads.shutdownNow();
      }
    }
  }
}
