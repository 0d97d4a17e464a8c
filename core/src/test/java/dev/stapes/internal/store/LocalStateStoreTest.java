package dev.stapes.internal.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.StateStore;
import dev.stapes.spi.StateStore.Change;
import dev.stapes.spi.StateStore.Entry;
import dev.stapes.spi.StateStore.Lease;
import dev.stapes.spi.StateStore.Transaction;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What the contract cannot ask for: a clock that is moved by hand, a disk that is full, a slow
 * listener.
 */
@Timeout(120)
class LocalStateStoreTest {
  private final AtomicReference<Instant> now =
      new AtomicReference<>(Instant.parse("2026-01-01T12:00:00Z"));
  private final Disk disk = new Disk();
  private final LocalStateStore store = new LocalStateStore("state store", disk, now::get) {};
  private final BlockingQueue<Change> told = new LinkedBlockingQueue<>();

  /** A table whose disk can be full. */
  private static final class Disk implements Table {
    private final TreeTable table = new TreeTable();
    private volatile boolean full;
    private final CountDownLatch refused = new CountDownLatch(1);

    @Override
    public long revision() {
      return table.revision();
    }

    @Override
    public Optional<Entry> get(String key) {
      return table.get(key);
    }

    @Override
    public List<Entry> range(String from, String to, int limit) {
      return table.range(from, to, limit);
    }

    @Override
    public List<String> leased(long lease) {
      return table.leased(lease);
    }

    @Override
    public List<String> leased() {
      return table.leased();
    }

    @Override
    public void apply(long revision, List<Write> writes) {
      if (full) {
        refused.countDown();
        throw new StapesException(Kind.EXHAUSTED, "state store", "the disk is full");
      }
      table.apply(revision, writes);
    }

    @Override
    public void sync() {}

    @Override
    public void close() {}
  }

  @AfterEach
  void close() {
    store.close();
  }

  private void put(String key, String value) {
    store.commit(Transaction.begin().put(key, value).build());
  }

  private Lease lease(Duration timeToLive, String key) {
    Lease lease = store.grant(timeToLive);
    store.commit(Transaction.begin().put(key, "1").lease(lease.id()).build());
    return lease;
  }

  private void pass(Duration time) {
    now.updateAndGet(before -> before.plus(time));
    store.tick();
  }

  private static Kind kindOf(Runnable action) {
    return assertThrows(StapesException.class, action::run).kind();
  }

  @Test
  void a_lease_that_is_kept_alive_lasts_and_one_that_is_not_does_not() throws Exception {
    store.watch("", 0, told::add);
    Lease kept = lease(Duration.ofSeconds(10), "kept");
    Lease left = lease(Duration.ofSeconds(15), "left");
    told.take();
    told.take();
    pass(Duration.ofSeconds(9));
    kept.keepAlive();
    pass(Duration.ofSeconds(6));
    assertEquals(new Change("left", Optional.empty(), 3), told.take());
    assertEquals(Kind.NOT_FOUND, kindOf(left::keepAlive));
    pass(Duration.ofSeconds(4));
    assertEquals(new Change("kept", Optional.empty(), 4), told.take());
    assertEquals(Kind.NOT_FOUND, kindOf(kept::keepAlive));
  }

  @Test
  void a_lease_ends_at_its_time_though_its_keys_are_still_there() {
    Lease lease = lease(Duration.ofSeconds(10), "a");
    now.updateAndGet(before -> before.plusSeconds(10));
    assertEquals(Kind.NOT_FOUND, kindOf(lease::keepAlive));
    assertEquals(
        Kind.NOT_FOUND,
        kindOf(() -> store.commit(Transaction.begin().put("b", "1").lease(lease.id()).build())));
  }

  @Test
  void a_commit_that_finds_the_disk_full_changes_nothing_and_the_next_one_works() {
    put("a", "1");
    assertEquals(Optional.of("1"), store.get("a").map(Entry::value));
    disk.full = true;
    assertEquals(
        Kind.EXHAUSTED,
        kindOf(() -> store.commit(Transaction.begin().put("a", "2").put("b", "2").build())));
    assertEquals(1, store.revision());
    assertEquals(Optional.of("1"), store.get("a").map(Entry::value));
    assertEquals(Optional.empty(), store.get("b"));
    disk.full = false;
    put("b", "2");
    assertEquals(Optional.of(new Entry("b", "2", 2, 2)), store.get("b"));
  }

  @Test
  void keys_of_a_lease_that_could_not_be_removed_are_removed_later() throws Exception {
    store.watch("", 0, told::add);
    lease(Duration.ofSeconds(10), "a");
    told.take();
    disk.full = true;
    pass(Duration.ofSeconds(11));
    disk.refused.await();
    assertTrue(store.get("a").isPresent());
    disk.full = false;
    store.tick();
    assertEquals(new Change("a", Optional.empty(), 2), told.take());
  }

  @Test
  void a_lease_that_could_not_be_given_back_can_be_given_back_again() {
    Lease lease = lease(Duration.ofSeconds(10), "a");
    disk.full = true;
    assertEquals(Kind.EXHAUSTED, kindOf(lease::close));
    disk.full = false;
    lease.close();
    assertEquals(Optional.empty(), store.get("a"));
  }

  /** Stands at its first change until it is let go. */
  private final class Slow implements StateStore.Listener {
    final CountDownLatch entered = new CountDownLatch(1);
    final CountDownLatch released = new CountDownLatch(1);
    final CompletableFuture<StapesException> reason = new CompletableFuture<>();

    @Override
    public void changed(Change change) {
      told.add(change);
      entered.countDown();
      try {
        released.await();
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }

    @Override
    public void lost(StapesException why) {
      reason.complete(why);
    }
  }

  @Test
  void a_listener_that_is_too_slow_is_told_that_changes_are_lost_and_nothing_after_it()
      throws Exception {
    Slow slow = new Slow();
    store.watch("", 0, slow);
    put("a", "0");
    slow.entered.await();
    for (int i = 1; i < 20_000; i++) {
      put("a", "1");
    }
    slow.released.countDown();
    StapesException reason = slow.reason.get();
    assertEquals(Kind.UNAVAILABLE, reason.kind());
    assertTrue(reason.toString().contains("after revision 1 are forgotten"), reason::toString);
    assertEquals(1, told.size());
    told.clear();
    store.watch("", 20_000, told::add);
    put("b", "2");
    assertEquals(new Change("b", Optional.of("2"), 20_001), told.take());
    assertTrue(told.isEmpty(), "the lost watch has ended");
  }

  @Test
  void changes_that_are_forgotten_cannot_be_watched() {
    for (int i = 0; i < 17_000; i++) {
      put("a", "1");
    }
    StapesException error =
        assertThrows(StapesException.class, () -> store.watch("", 0, told::add));
    assertEquals(Kind.UNAVAILABLE, error.kind());
    assertTrue(error.toString().contains("read all again"), error::toString);
    store.watch("", 16_000, told::add).close();
  }

  @Test
  void big_changes_are_forgotten_earlier() {
    String big = "x".repeat(1 << 20);
    for (int i = 0; i < 40; i++) {
      put("a", big);
    }
    assertEquals(Kind.UNAVAILABLE, kindOf(() -> store.watch("", 20, told::add)));
    store.watch("", 30, told::add).close();
  }

  @Test
  void without_a_watch_or_lease_there_is_no_thread() {
    put("a", "1");
    assertFalse(
        Thread.getAllStackTraces().keySet().stream()
            .anyMatch(thread -> thread.getName().equals("stapes-store")));
  }
}
