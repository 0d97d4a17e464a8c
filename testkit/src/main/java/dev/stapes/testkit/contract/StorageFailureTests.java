package dev.stapes.testkit.contract;

import static dev.stapes.model.StapesException.Kind.INTERRUPTED;
import static dev.stapes.model.StapesException.Kind.UNAVAILABLE;
import static dev.stapes.testkit.contract.Refusal.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.IdMapping;
import dev.stapes.model.StapesException;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.EffectScenario;
import dev.stapes.testkit.Faults;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** What a pool does when something fails, ends or happens at the same time. */
abstract class StorageFailureTests extends StorageGroupTests {

  @Test
  void a_closed_pool_refuses_work() {
    pool().create(A);
    StoragePool closed = pool();
    bench().reopen();
    closed.close();
    refused(UNAVAILABLE, "contract", () -> closed.create(B));
    refused(UNAVAILABLE, "contract", closed::list);
    refused(UNAVAILABLE, "contract", () -> closed.tree(A, Tree.Resolution.BENEATH));
    refused(UNAVAILABLE, "contract", () -> closed.attach(A, Optional.empty(), false));
    assertEquals(Set.of(A), pool().list());
  }

  @Test
  void different_volumes_are_worked_on_at_once() throws Exception {
    List<Callable<Void>> workers = new ArrayList<>();
    for (int worker = 0; worker < 4; worker++) {
      String name = "worker-" + worker;
      workers.add(
          () -> {
            cycles(name);
            return null;
          });
    }
    atOnce(workers);
    assertEquals(4, pool().list().size());
    for (int worker = 0; worker < 4; worker++) {
      String name = "worker-" + worker;
      bench()
          .withTree(
              instance(name), tree -> assertEquals(name + " 3", TreePicture.text(tree, "file")));
    }
  }

  private void cycles(String name) {
    VolumeId volume = instance(name);
    VolumeId snapshot = new VolumeId(VolumeId.Kind.SNAPSHOT, name);
    pool().create(volume);
    for (int round = 0; round < 4; round++) {
      bench().writeText(volume, "file", name + " " + round);
      pool().copy(volume, snapshot, true);
      pool().attach(volume, Optional.empty(), false).close();
      pool().discard(volume);
      pool().copy(snapshot, volume, false);
      pool().discard(snapshot);
    }
  }

  @Test
  void one_volume_is_copied_by_many_at_once() throws Exception {
    pool().create(A);
    bench().withTree(A, TreePicture::fill);
    pool().copy(A, IMAGE, true);
    List<Callable<Void>> copies = new ArrayList<>();
    for (int copy = 0; copy < 8; copy++) {
      VolumeId target = instance("copy-" + copy);
      copies.add(
          () -> {
            pool().copy(IMAGE, target, false);
            return null;
          });
    }
    atOnce(copies);
    Map<String, String> picture = bench().picture(IMAGE);
    for (int copy = 0; copy < 8; copy++) {
      assertEquals(picture, bench().picture(instance("copy-" + copy)));
    }
  }

  @Test
  void reclaiming_goes_on_beside_other_work() throws Exception {
    for (int i = 0; i < 6; i++) {
      pool().create(instance("old-" + i));
      bench().withTree(instance("old-" + i), TreePicture::fill);
      pool().discard(instance("old-" + i));
    }
    CountDownLatch worked = new CountDownLatch(1);
    long enough = System.nanoTime() + 5_000_000_000L; // the work waits for each where that is slow
    Callable<Void> reclaim =
        () -> {
          do {
            pool().reclaim();
          } while (worked.getCount() > 0 && System.nanoTime() < enough);
          return null;
        };
    Callable<Void> work =
        () -> {
          try {
            cycles("worker");
          } finally {
            worked.countDown();
          }
          return null;
        };
    atOnce(List.of(reclaim, work, reclaim));
    assertEquals(Set.of(instance("worker")), pool().list());
  }

  @Test
  void an_interrupted_copy_is_whole_or_not_there() {
    pool().create(A);
    bench().withTree(A, TreePicture::fill);
    Thread.currentThread().interrupt();
    boolean refused = false;
    try {
      pool().copy(A, B, false);
    } catch (StapesException e) {
      refused = true;
      assertEquals(INTERRUPTED, e.kind(), e::toString);
    } finally {
      Thread.interrupted();
    }
    assertEquals(!refused, pool().exists(B));
    if (!refused) {
      assertEquals(bench().picture(A), bench().picture(B));
    }
  }

  @Test
  void a_failed_create_leaves_the_pool_as_it_was() throws Exception {
    assertTrue(new Scenario(pool -> pool.create(B)).forEveryEffect() >= 0);
  }

  @Test
  void a_failed_copy_leaves_the_pool_as_it_was() throws Exception {
    assertTrue(new Scenario(pool -> pool.copy(A, B, false)).forEveryEffect() >= 0);
    assertTrue(new Scenario(pool -> pool.copy(A, B, true)).forEveryEffect() >= 0);
  }

  @Test
  void a_failed_discard_leaves_the_pool_as_it_was() throws Exception {
    assertTrue(new Scenario(pool -> pool.discard(A)).forEveryEffect() >= 0);
  }

  @Test
  void a_failed_attach_leaves_the_pool_as_it_was() throws Exception {
    IdMapping map = IdMapping.of(1_000_000, 65_536);
    assertTrue(
        new Scenario(pool -> pool.attach(A, Optional.of(map), false).close()).forEveryEffect()
            >= 0);
  }

  @Test
  void a_failed_scratch_volume_leaves_the_pool_as_it_was() throws Exception {
    Scenario scenario =
        new Scenario(
            pool -> {
              if (pool.scratch().isPresent()) {
                pool.scratch().get().create(A, B, Optional.empty());
              }
            });
    assertTrue(scenario.forEveryEffect() >= 0);
  }

  @Test
  void after_a_crash_anywhere_a_copy_is_whole_or_can_be_discarded() throws Exception {
    int effects = new Scenario(pool -> pool.copy(A, B, false)).effects();
    for (int n = 1; n <= effects; n++) {
      Faults faults = new Faults();
      try (StorageBench other = StorageBench.open(this, faults)) {
        prepare(other);
        Map<String, String> source = other.picture(A);
        faults.dieAtNth(n);
        boolean done = attempt(() -> other.pool().copy(A, B, false));
        other.crash();
        assertEquals(source, other.picture(A));
        if (done) {
          assertEquals(source, other.picture(B));
        }
        for (VolumeId id : other.pool().list()) {
          if (!id.equals(A)) {
            other.pool().discard(id);
          }
        }
        other.pool().reclaim();
        assertEquals(Set.of(A), other.pool().list());
        other.pool().copy(A, B, false);
        assertEquals(source, other.picture(B));
      }
    }
  }

  @Test
  void after_a_crash_anywhere_a_discarded_volume_is_whole_or_gone() throws Exception {
    int effects = new Scenario(pool -> pool.discard(A)).effects();
    for (int n = 1; n <= effects; n++) {
      Faults faults = new Faults();
      try (StorageBench other = StorageBench.open(this, faults)) {
        prepare(other);
        Map<String, String> whole = other.picture(A);
        faults.dieAtNth(n);
        boolean done = attempt(() -> other.pool().discard(A));
        other.crash();
        assertFalse(done && other.pool().exists(A));
        if (other.pool().exists(A)) {
          assertEquals(whole, other.picture(A));
        }
        other.pool().discard(A);
        other.pool().reclaim();
        assertEquals(Set.of(), other.pool().list());
      }
    }
  }

  @Test
  void wherever_something_fails_volumes_that_go_together_are_whole_or_gone() {
    int effects = goTogether(Faults::count);
    for (int n = 1; n <= effects; n++) {
      int nth = n;
      goTogether(faults -> faults.failNth(nth));
      goTogether(faults -> faults.failAfterNth(nth));
      goTogether(faults -> faults.dieAtNth(nth));
    }
  }

  /** Those of a volume, but for a copy of one of them; the answer is how many effects that has. */
  private int goTogether(Consumer<Faults> plan) {
    List<VolumeId> all = List.of(SNAPSHOT, IMAGE, A);
    Faults faults = new Faults();
    try (StorageBench other = StorageBench.open(this, faults)) {
      prepare(other);
      other.pool().copy(A, SNAPSHOT, true);
      other.pool().copy(A, IMAGE, true);
      other.pool().copy(SNAPSHOT, B, false);
      Map<VolumeId, Map<String, String>> before = other.state();
      plan.accept(faults);
      boolean done = attempt(() -> other.pool().discardAll(all));
      int effects = faults.effects();
      other.crash();
      Map<VolumeId, Map<String, String>> after = other.state();
      after.forEach((id, picture) -> assertEquals(before.get(id), picture, id::toString));
      assertTrue(after.containsKey(B));
      assertFalse(done && after.size() > 1, () -> "left: " + after.keySet());
      other.pool().discardAll(all);
      other.pool().reclaim();
      assertEquals(Set.of(B), other.pool().list());
      return effects;
    }
  }

  private static boolean attempt(Runnable action) {
    try {
      action.run();
      return true;
    } catch (StapesException e) {
      return false;
    }
  }

  private static void prepare(StorageBench bench) {
    bench.pool().create(A);
    bench.withTree(
        A,
        tree -> {
          TreePicture.write(tree, "file", "content");
          tree.setModified("file", Instant.EPOCH); // the same in each world
        });
  }

  static VolumeId instance(String name) {
    return new VolumeId(VolumeId.Kind.INSTANCE, name);
  }

  private static void atOnce(List<Callable<Void>> tasks) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(tasks.size());
    try {
      for (Future<Void> done : threads.invokeAll(tasks)) {
        done.get();
      }
    } finally {
      threads.shutdownNow();
    }
  }

  private interface Action {
    void run(StoragePool pool);
  }

  /** An action on a pool with one volume, with a fault in the host or the driver's own calls. */
  private final class Scenario implements EffectScenario<StorageBench> {
    private final Action action;

    Scenario(Action action) {
      this.action = action;
    }

    int effects() throws Exception {
      Faults faults = new Faults();
      StorageBench world = prepare(faults);
      try {
        faults.count();
        act(world);
        return faults.effects();
      } finally {
        dispose(world);
      }
    }

    @Override
    public StorageBench prepare(Faults faults) {
      StorageBench world = StorageBench.open(StorageFailureTests.this, faults);
      StorageFailureTests.prepare(world);
      return world;
    }

    @Override
    public void act(StorageBench world) {
      action.run(world.pool());
    }

    @Override
    public Object state(StorageBench world) {
      return world.state();
    }

    @Override
    public void dispose(StorageBench world) {
      world.close();
    }
  }
}
