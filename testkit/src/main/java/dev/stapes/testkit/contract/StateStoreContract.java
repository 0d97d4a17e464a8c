package dev.stapes.testkit.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.StateStore;
import dev.stapes.spi.StateStore.Entry;
import dev.stapes.spi.StateStore.Transaction;
import dev.stapes.spi.StateStore.Watch;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.UnaryOperator;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What every {@link StateStore} must do. A store is done when a class that extends this passes; one
 * that keeps what was committed, when {@link DurableStateStoreContract} does.
 */
@Timeout(120)
public abstract class StateStoreContract extends StateStoreWatches {
  /** For subclasses, each of which tests one store. */
  protected StateStoreContract() {}

  /** Makes a new, empty store; each call another one. */
  @Override
  protected abstract StateStore newStore();

  /** Deletes what all stores that were made have left; they are closed. */
  @Override
  protected abstract void deleteStores();

  /** Closes a store and opens it again; for the model. Empty: closing forgets everything. */
  Optional<UnaryOperator<StateStore>> reopening() {
    return Optional.empty();
  }

  /** Any sequence of transactions, leases and readings means the same as on a sorted map. */
  @Property(tries = 100, edgeCases = EdgeCasesMode.NONE)
  void it_agrees_with_a_sorted_map(@ForAll("steps") List<StateStoreModel.Step> steps) {
    StateStoreModel model = new StateStoreModel(newStore(), reopening());
    try {
      steps.forEach(model::run);
      model.checkWatch();
    } finally {
      model.close();
      deleteStores();
    }
  }

  @Provide
  Arbitrary<List<StateStoreModel.Step>> steps() {
    return StateStoreModel.steps();
  }

  @Test
  void threads_that_compare_and_set_lose_no_update() throws Exception {
    put("counter", "0");
    int threads = 4;
    int rounds = 100;
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    List<Future<?>> results = new ArrayList<>();
    for (int i = 0; i < threads; i++) {
      results.add(
          pool.submit(
              () -> {
                for (int round = 0; round < rounds; round++) {
                  increment();
                }
              }));
    }
    for (Future<?> result : results) {
      result.get();
    }
    pool.shutdown();
    pool.awaitTermination(1, TimeUnit.MINUTES);
    assertEquals(Optional.of("" + threads * rounds), value("counter"));
    assertEquals(1 + threads * rounds, store().revision());
  }

  private void increment() {
    while (true) {
      Entry entry = store().get("counter").orElseThrow();
      String next = "" + (Integer.parseInt(entry.value()) + 1);
      try {
        store()
            .commit(
                Transaction.begin()
                    .ifUnchanged("counter", entry.modified())
                    .put("counter", next)
                    .build());
        return;
      } catch (StapesException e) {
        assertEquals(Kind.CONFLICT, e.kind());
      }
    }
  }

  @Test
  void readers_never_see_half_of_a_transaction() throws InterruptedException {
    StateStore store = store();
    store.commit(Transaction.begin().put("a", "0").put("b", "0").build());
    AtomicBoolean done = new AtomicBoolean();
    Thread writer =
        new Thread(
            () -> {
              for (int i = 1; i <= 2000; i++) {
                store.commit(Transaction.begin().put("a", "" + i).put("b", "" + i).build());
              }
              done.set(true);
            });
    writer.start();
    try {
      while (!done.get()) {
        List<Entry> both = store.prefix("");
        assertEquals(both.get(0).modified(), both.get(1).modified());
        // What is read later is not older, whichever way it is read.
        long a = store.get("a").orElseThrow().modified();
        assertTrue(both.get(0).modified() <= a);
        long b = store.get("b").orElseThrow().modified();
        assertTrue(a <= b, a + " then " + b);
        assertTrue(b <= store.revision());
        assertTrue(b <= store.range("a", "b", 1).get(0).modified());
      }
    } finally {
      writer.join();
    }
  }

  @Test
  void an_interrupted_thread_reads_and_commits_and_stays_interrupted() {
    Thread.currentThread().interrupt();
    put("a", "1");
    assertEquals(Optional.of("1"), value("a"));
    assertEquals(1, store().prefix("a").size());
    store().sync();
    assertTrue(Thread.interrupted());
    assertEquals(Optional.of("1"), value("a"));
  }

  @Test
  void two_stores_have_nothing_in_common() {
    try (StateStore other = newStore()) {
      put("a", "1");
      assertEquals(Optional.empty(), other.get("a"));
      assertEquals(0, other.revision());
    }
  }

  @Test
  void a_closed_store_is_unavailable() {
    put("a", "1");
    value("a");
    StateStore store = store();
    store.close();
    store.close();
    fails(Kind.UNAVAILABLE, store::revision);
    fails(Kind.UNAVAILABLE, () -> store.get("a"));
    fails(Kind.UNAVAILABLE, () -> store.get("b"));
    fails(Kind.UNAVAILABLE, () -> store.range("a", "b", 1));
    fails(Kind.UNAVAILABLE, () -> put("a", "2"));
    fails(Kind.UNAVAILABLE, store::sync);
    fails(Kind.UNAVAILABLE, () -> store.watch("", 0, change -> {}));
    fails(Kind.UNAVAILABLE, () -> store.grant(Duration.ofHours(1)));
  }

  @Test
  void after_close_no_listener_is_called() throws InterruptedException {
    CountDownLatch entered = new CountDownLatch(1);
    CountDownLatch released = new CountDownLatch(1);
    AtomicBoolean closed = new AtomicBoolean();
    AtomicBoolean late = new AtomicBoolean();
    StateStore store = store();
    Watch watch =
        store.watch(
            "",
            0,
            change -> {
              late.compareAndSet(false, closed.get());
              entered.countDown();
              await(released);
            });
    for (int i = 0; i < 10; i++) {
      put("a", "" + i);
    }
    await(entered);
    Thread closer =
        new Thread(
            () -> {
              store.close();
              closed.set(true);
            });
    closer.start();
    released.countDown();
    closer.join();
    watch.close();
    assertFalse(late.get());
  }

  @Test
  void a_listener_can_close_the_store() throws InterruptedException {
    CountDownLatch done = new CountDownLatch(1);
    StateStore store = store();
    store.watch(
        "",
        0,
        change -> {
          store.close();
          done.countDown();
        });
    put("a", "1");
    await(done);
    fails(Kind.UNAVAILABLE, store::revision);
    // The thread that closed could not wait for its own end. This one can.
    store.close();
  }
}
