package dev.stapes.testkit.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.StateStore;
import dev.stapes.spi.StateStore.Change;
import dev.stapes.spi.StateStore.Lease;
import dev.stapes.spi.StateStore.Transaction;
import dev.stapes.spi.StateStore.Watch;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** Watches and leases. */
abstract class StateStoreWatches extends StateStoreTransactions {
  private static final Duration LONG = Duration.ofHours(1);

  private final Recorder recorder = new Recorder();

  @Test
  void a_watch_tells_each_change_in_order() throws InterruptedException {
    store().watch("", 0, recorder);
    put("b", "1");
    put("a", "2");
    put("b", "3");
    remove("a");
    assertEquals(
        List.of(changed("b", "1", 1), changed("a", "2", 2), changed("b", "3", 3), removed("a", 4)),
        recorder.take(4));
  }

  @Test
  void a_watch_tells_one_commit_in_the_order_of_its_keys() throws InterruptedException {
    put("b", "1");
    store().watch("", 1, recorder);
    store()
        .commit(
            Transaction.begin()
                .put("😀", "2")
                .put("\ue000", "2")
                .remove("b")
                .put("a", "2")
                .build());
    assertEquals(
        List.of(
            changed("a", "2", 2),
            removed("b", 2),
            changed("\ue000", "2", 2),
            changed("😀", "2", 2)),
        recorder.take(4));
  }

  @Test
  void a_watch_tells_only_what_is_under_its_prefix() throws InterruptedException {
    store().watch("instance/", 0, recorder);
    put("instance", "1");
    put("instance/1", "2");
    put("snapshot/1", "3");
    store().commit(Transaction.begin().put("a", "4").put("instance/2", "4").build());
    assertEquals(
        List.of(changed("instance/1", "2", 2), changed("instance/2", "4", 4)), recorder.take(2));
  }

  @Test
  void a_watch_tells_first_what_was_committed_before_it() throws InterruptedException {
    put("a", "1");
    put("a", "2");
    put("a", "3");
    store().watch("", 1, recorder);
    put("a", "4");
    assertEquals(
        List.of(changed("a", "2", 2), changed("a", "3", 3), changed("a", "4", 4)),
        recorder.take(3));
  }

  @Test
  void a_watch_can_begin_in_the_future() throws InterruptedException {
    store().watch("", 2, recorder);
    for (int i = 1; i <= 4; i++) {
      put("a", "" + i);
    }
    assertEquals(List.of(changed("a", "3", 3), changed("a", "4", 4)), recorder.take(2));
  }

  @Test
  void a_watch_begins_at_a_revision_that_can_be() {
    fails(Kind.INVALID, () -> store().watch("", -1, recorder));
  }

  @Test
  void what_changes_nothing_is_not_told() throws InterruptedException {
    store().watch("", 0, recorder);
    remove("a");
    put("b", "1");
    assertEquals(List.of(changed("b", "1", 1)), recorder.take(1));
  }

  @Test
  void each_watch_is_told() throws InterruptedException {
    Recorder second = new Recorder();
    store().watch("a", 0, recorder);
    store().watch("", 0, second);
    put("a", "1");
    put("b", "2");
    assertEquals(List.of(changed("a", "1", 1)), recorder.take(1));
    assertEquals(List.of(changed("a", "1", 1), changed("b", "2", 2)), second.take(2));
  }

  @Test
  void after_close_of_a_watch_its_listener_is_not_called() throws InterruptedException {
    Recorder second = new Recorder();
    Watch watch = store().watch("", 0, recorder);
    put("a", "1");
    recorder.take(1);
    watch.close();
    watch.close();
    store().watch("", 1, second);
    put("a", "2");
    second.take(1);
    assertTrue(recorder.isEmpty());
  }

  @Test
  void close_of_a_watch_waits_for_the_call_that_is_under_way() throws InterruptedException {
    CountDownLatch entered = new CountDownLatch(1);
    CountDownLatch released = new CountDownLatch(1);
    Watch watch =
        store()
            .watch(
                "",
                0,
                change -> {
                  entered.countDown();
                  await(released);
                  recorder.changed(change);
                });
    put("a", "1");
    await(entered);
    Thread closer = new Thread(watch::close);
    closer.start();
    released.countDown();
    closer.join();
    assertEquals(List.of(changed("a", "1", 1)), recorder.take(1));
  }

  static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void a_listener_can_close_its_watch() throws InterruptedException {
    CompletableFuture<Watch> own = new CompletableFuture<>();
    Recorder second = new Recorder();
    own.complete(
        store()
            .watch(
                "",
                0,
                change -> {
                  own.join().close();
                  recorder.changed(change);
                }));
    put("a", "1");
    recorder.take(1);
    store().watch("", 1, second);
    put("a", "2");
    second.take(1);
    assertTrue(recorder.isEmpty());
  }

  @Test
  void a_listener_can_use_the_store() throws InterruptedException {
    store()
        .watch(
            "request/",
            0,
            change -> {
              assertEquals(change.value(), value(change.key()));
              put("answer/" + change.revision(), "done");
            });
    store().watch("answer/", 0, recorder);
    put("request/a", "1");
    assertEquals(List.of(changed("answer/1", "done", 2)), recorder.take(1));
  }

  @Test
  void a_listener_that_throws_is_told_the_next_change() throws InterruptedException {
    store()
        .watch(
            "",
            0,
            change -> {
              recorder.changed(change);
              throw new IllegalStateException("listener");
            });
    store().commit(Transaction.begin().put("a", "1").put("b", "1").build());
    put("a", "2");
    assertEquals(
        List.of(changed("a", "1", 1), changed("b", "1", 1), changed("a", "2", 2)),
        recorder.take(3));
  }

  @Test
  void a_listener_that_stands_still_blocks_no_commit() throws InterruptedException {
    CountDownLatch entered = new CountDownLatch(1);
    CountDownLatch released = new CountDownLatch(1);
    store()
        .watch(
            "",
            0,
            change -> {
              entered.countDown();
              await(released);
              recorder.changed(change);
            });
    put("a", "0");
    await(entered);
    List<Change> expected = new ArrayList<>(List.of(changed("a", "0", 1)));
    for (int i = 1; i < 100; i++) {
      long revision = put("a", "" + i);
      expected.add(changed("a", "" + i, revision));
      assertEquals(Optional.of("" + i), value("a"));
    }
    assertTrue(recorder.isEmpty());
    released.countDown();
    assertEquals(expected, recorder.take(100));
  }

  private long putWith(Lease lease, String key, String value) {
    return store().commit(Transaction.begin().put(key, value).lease(lease.id()).build());
  }

  @Test
  void keys_vanish_when_their_lease_runs_out() throws InterruptedException {
    store().watch("", 0, recorder);
    put("stays", "1");
    Lease lease = store().grant(Duration.ofSeconds(5));
    putWith(lease, "b", "2");
    putWith(lease, "a", "3");
    recorder.take(3);
    assertEquals(List.of(removed("a", 4), removed("b", 4)), recorder.take(2));
    assertEquals(List.of("stays"), keys(store().prefix("")));
    fails(Kind.NOT_FOUND, lease::keepAlive);
  }

  @Test
  void a_lease_that_is_given_back_takes_its_keys_along_at_once() {
    Lease lease = store().grant(LONG);
    putWith(lease, "a", "1");
    putWith(lease, "b", "1");
    put("c", "1");
    lease.keepAlive();
    lease.close();
    assertEquals(4, store().revision());
    assertEquals(List.of("c"), keys(store().prefix("")));
    lease.close();
    assertEquals(4, store().revision());
    fails(Kind.NOT_FOUND, lease::keepAlive);
  }

  @Test
  void a_lease_without_keys_leaves_no_trace() {
    store().grant(LONG).close();
    assertEquals(0, store().revision());
  }

  @Test
  void a_put_without_the_lease_takes_a_key_off_it() {
    Lease lease = store().grant(LONG);
    putWith(lease, "a", "1");
    putWith(lease, "b", "1");
    put("a", "2");
    remove("b");
    put("b", "2");
    lease.close();
    assertEquals(List.of("a", "b"), keys(store().prefix("")));
  }

  @Test
  void a_put_with_another_lease_moves_a_key_there() {
    Lease first = store().grant(LONG);
    Lease second = store().grant(LONG);
    assertTrue(first.id() != second.id());
    putWith(first, "a", "1");
    putWith(second, "a", "2");
    first.close();
    assertEquals(Optional.of("2"), value("a"));
    second.close();
    assertEquals(Optional.empty(), value("a"));
  }

  @Test
  void a_key_can_be_taken_onto_a_lease() {
    put("a", "1");
    Lease lease = store().grant(LONG);
    putWith(lease, "a", "2");
    lease.close();
    assertEquals(Optional.empty(), value("a"));
  }

  @Test
  void a_lease_that_is_not_there_cannot_be_put_with() {
    Lease lease = store().grant(LONG);
    lease.close();
    changesNothing(Kind.NOT_FOUND, () -> putWith(lease, "a", "1"));
  }

  @Test
  void a_lease_is_granted_for_a_millisecond_to_a_year() {
    for (Duration bad :
        List.of(
            Duration.ZERO,
            Duration.ofMillis(-1),
            Duration.ofNanos(999_999),
            Duration.ofDays(365).plusNanos(1),
            Duration.ofSeconds(Long.MAX_VALUE))) {
      fails(Kind.INVALID, () -> store().grant(bad));
    }
    store().grant(Duration.ofDays(365)).close();
  }

  @Test
  void a_lease_may_be_given_back_after_its_store_was_closed() {
    StateStore store = store();
    Lease lease = store.grant(LONG);
    putWith(lease, "a", "1");
    store.close();
    lease.close();
    fails(Kind.UNAVAILABLE, lease::keepAlive);
  }
}
