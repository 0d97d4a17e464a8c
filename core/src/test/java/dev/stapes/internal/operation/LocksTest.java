package dev.stapes.internal.operation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class LocksTest {
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final Duration FOREVER = Duration.ofSeconds(Long.MAX_VALUE);

  private final Locks locks = new Locks();

  /** Runs on another thread and hands back what it threw. */
  private static StapesException failureOf(Runnable work) throws InterruptedException {
    CompletableFuture<StapesException> failure = new CompletableFuture<>();
    Thread thread =
        new Thread(() -> failure.complete(assertThrows(StapesException.class, work::run)));
    thread.start();
    thread.join();
    return failure.join();
  }

  /** Returns when a thread stands still waiting for a lock. */
  private static void awaitWaiting(Thread thread) {
    while (thread.getState() != Thread.State.WAITING
        && thread.getState() != Thread.State.TIMED_WAITING) {
      assertTrue(thread.isAlive());
      Thread.onSpinWait();
    }
  }

  @Test
  void who_comes_second_is_told_what_the_lock_is_held_for() throws InterruptedException {
    try (Locks.Held held = locks.acquire("instance/4", "snapshot of instance web", LONG)) {
      StapesException error =
          failureOf(() -> locks.acquire("instance/4", "deletion", Duration.ZERO));
      assertEquals(Kind.BUSY, error.kind());
      assertEquals("instance/4", error.subject());
      assertEquals("instance/4: busy: snapshot of instance web", error.getMessage());
      assertEquals(1, locks.size());
    }
    assertEquals(0, locks.size());
  }

  @Test
  void waiting_ends_at_its_time() throws InterruptedException {
    try (Locks.Held held = locks.acquire("a", "one", LONG)) {
      assertEquals(
          Kind.BUSY, failureOf(() -> locks.acquire("a", "two", Duration.ofMillis(1))).kind());
    }
  }

  @Test
  void a_lock_that_is_given_back_can_be_taken() {
    locks.acquire("a", "one", Duration.ZERO).close();
    locks.acquire("a", "two", FOREVER).close();
    assertEquals(0, locks.size());
  }

  @Test
  void keys_do_not_hinder_each_other() throws Exception {
    try (Locks.Held held = locks.acquire("a", "one", LONG)) {
      Thread other = new Thread(() -> locks.acquire("b", "two", Duration.ZERO).close());
      other.start();
      other.join();
      assertEquals(1, locks.size());
    }
  }

  @Test
  void a_second_close_gives_back_nothing_that_another_holds() throws InterruptedException {
    Locks.Held first = locks.acquire("a", "one", LONG);
    first.close();
    try (Locks.Held second = locks.acquire("a", "two", LONG)) {
      first.close();
      assertEquals(Kind.BUSY, failureOf(() -> locks.acquire("a", "three", Duration.ZERO)).kind());
    }
  }

  @Test
  void another_thread_can_give_it_back() throws InterruptedException {
    Locks.Held held = locks.acquire("a", "one", LONG);
    Thread other = new Thread(held::close);
    other.start();
    other.join();
    assertEquals(0, locks.size());
    locks.acquire("a", "two", Duration.ZERO).close();
  }

  @Test
  void a_thread_that_asks_twice_is_told_so_instead_of_waiting_for_itself() {
    try (Locks.Held held = locks.acquire("a", "one", LONG)) {
      StapesException error =
          assertThrows(StapesException.class, () -> locks.acquire("a", "two", FOREVER));
      assertEquals(Kind.INTERNAL, error.kind());
      assertTrue(error.toString().contains("one"));
    }
    assertEquals(0, locks.size());
  }

  @Test
  void a_key_that_is_named_twice_counts_once() {
    try (Locks.Held held = locks.acquire(List.of("b", "a", "b"), "one", LONG)) {
      assertEquals(2, locks.size());
    }
    assertEquals(0, locks.size());
  }

  @Test
  void when_one_of_several_is_busy_none_is_kept() throws InterruptedException {
    try (Locks.Held held = locks.acquire("b", "one", LONG)) {
      StapesException error =
          failureOf(() -> locks.acquire(List.of("c", "a", "b"), "two", Duration.ZERO));
      assertEquals("b", error.subject());
      assertEquals(1, locks.size());
    }
  }

  @Test
  void who_comes_first_is_served_first() throws InterruptedException {
    List<Integer> served = Collections.synchronizedList(new ArrayList<>());
    List<Thread> threads = new ArrayList<>();
    Locks.Held held = locks.acquire("a", "holder", LONG);
    for (int i = 0; i < 8; i++) {
      int number = i;
      Thread thread =
          new Thread(
              () -> {
                try (Locks.Held own = locks.acquire("a", "waiter " + number, LONG)) {
                  served.add(number);
                }
              });
      thread.start();
      awaitWaiting(thread);
      threads.add(thread);
    }
    held.close();
    for (Thread thread : threads) {
      thread.join();
    }
    assertEquals(List.of(0, 1, 2, 3, 4, 5, 6, 7), served);
  }

  @Test
  void an_interrupt_ends_the_wait_and_the_thread_stays_interrupted() throws InterruptedException {
    CompletableFuture<StapesException> failure = new CompletableFuture<>();
    CompletableFuture<Boolean> still = new CompletableFuture<>();
    Thread waiter =
        new Thread(
            () -> {
              failure.complete(
                  assertThrows(StapesException.class, () -> locks.acquire("a", "waiter", FOREVER)));
              still.complete(Thread.interrupted());
            });
    try (Locks.Held held = locks.acquire("a", "holder", LONG)) {
      waiter.start();
      awaitWaiting(waiter);
      waiter.interrupt();
      waiter.join();
      assertEquals(1, locks.size());
    }
    assertEquals(Kind.INTERRUPTED, failure.join().kind());
    assertEquals(true, still.join());
    assertEquals(0, locks.size());
  }

  @Test
  void sixty_four_threads_exclude_each_other_and_leave_nothing_behind() throws Exception {
    int threads = 64;
    // Plain counters: a lost update shows that two were inside at once.
    int[] counters = new int[6];
    int[] expected = new int[6];
    CountDownLatch start = new CountDownLatch(1);
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    List<Future<int[]>> results = new ArrayList<>();
    for (int i = 0; i < threads; i++) {
      Random random = new Random(i);
      results.add(
          pool.submit(
              () -> {
                start.await();
                return hammer(random, counters);
              }));
    }
    start.countDown();
    for (Future<int[]> result : results) {
      int[] own = result.get(100, TimeUnit.SECONDS);
      for (int key = 0; key < own.length; key++) {
        expected[key] += own[key];
      }
    }
    pool.shutdown();
    assertArrayEquals(expected, counters);
    assertEquals(0, locks.size());
  }

  private int[] hammer(Random random, int[] counters) {
    int[] own = new int[counters.length];
    for (int i = 0; i < 300; i++) {
      int one = random.nextInt(counters.length);
      int two = random.nextInt(counters.length);
      Duration timeout = random.nextInt(4) == 0 ? Duration.ZERO : LONG;
      try (Locks.Held held = locks.acquire(List.of("key/" + one, "key/" + two), "test", timeout)) {
        for (int key : one == two ? new int[] {one} : new int[] {one, two}) {
          counters[key]++;
          own[key]++;
        }
      } catch (StapesException e) {
        assertEquals(Kind.BUSY, e.kind());
      }
    }
    return own;
  }

  @Test
  void a_key_is_shared_by_many_or_held_by_one() throws InterruptedException {
    Locks.Claim reading = Locks.Claim.alone("mine").sharing("a");
    try (Locks.Held first = locks.acquire(reading, "first reading", LONG)) {
      Thread other =
          new Thread(
              () ->
                  locks
                      .acquire(Locks.Claim.alone("yours").sharing("a"), "reading", Duration.ZERO)
                      .close());
      other.start();
      other.join();
      StapesException error = failureOf(() -> locks.acquire("a", "writing", Duration.ZERO));
      assertEquals("a: busy: first reading", error.getMessage());
    }
    try (Locks.Held writer = locks.acquire("a", "writing", LONG)) {
      StapesException error = failureOf(() -> locks.acquire(reading, "reading", Duration.ZERO));
      assertEquals("a: busy: writing", error.getMessage());
      assertEquals(1, locks.size());
    }
    assertEquals(0, locks.size());
  }

  @Test
  void who_waits_to_be_alone_is_not_overtaken_by_those_who_share() throws Exception {
    Locks.Claim reading = new Locks.Claim(Set.of(), Set.of("a"));
    CountDownLatch written = new CountDownLatch(1);
    Thread writer =
        new Thread(
            () -> {
              try (Locks.Held held = locks.acquire("a", "writing", LONG)) {
                written.countDown();
              }
            });
    try (Locks.Held first = locks.acquire(reading, "reading", LONG)) {
      writer.start();
      awaitWaiting(writer);
      assertEquals(
          Kind.BUSY, failureOf(() -> locks.acquire(reading, "late", Duration.ZERO)).kind());
      assertEquals(1, written.getCount());
    }
    writer.join();
    assertEquals(0, written.getCount());
    assertEquals(0, locks.size());
  }

  @Test
  void a_thread_does_not_share_with_itself() {
    Locks.Claim reading = new Locks.Claim(Set.of(), Set.of("a"));
    try (Locks.Held first = locks.acquire(reading, "reading", LONG)) {
      assertEquals(
          Kind.INTERNAL,
          assertThrows(StapesException.class, () -> locks.acquire(reading, "again", LONG)).kind());
    }
  }

  @Test
  void a_claim_covers_what_is_weaker() {
    Locks.Claim claim = Locks.Claim.alone("a").with("b").sharing("c");
    assertTrue(claim.covers(new Locks.Claim(Set.of("a"), Set.of("b", "c"))));
    assertTrue(claim.covers(claim));
    assertFalse(claim.covers(Locks.Claim.alone("c")));
    assertFalse(claim.covers(claim.sharing("d")));
  }
}
