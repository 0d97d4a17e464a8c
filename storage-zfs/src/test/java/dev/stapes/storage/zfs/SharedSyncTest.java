package dev.stapes.storage.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class SharedSyncTest {
  @Test
  void each_caller_alone_has_a_sync_of_its_own() {
    AtomicInteger syncs = new AtomicInteger();
    SharedSync shared = new SharedSync(syncs::incrementAndGet);
    shared.await();
    shared.await();
    assertEquals(2, syncs.get());
  }

  @Test
  @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void those_who_come_while_one_goes_on_share_the_next() throws Exception {
    AtomicInteger syncs = new AtomicInteger();
    CountDownLatch first = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    SharedSync shared =
        new SharedSync(
            () -> {
              syncs.incrementAndGet();
              first.countDown();
              await(go);
            });
    ExecutorService callers = Executors.newCachedThreadPool();
    try {
      List<Future<?>> all = new ArrayList<>();
      all.add(callers.submit(shared::await));
      await(first);
      for (int i = 0; i < 20; i++) {
        all.add(callers.submit(shared::await));
      }
      while (shared.waiting() < 20) {
        Thread.onSpinWait();
      }
      go.countDown();
      for (Future<?> each : all) {
        each.get(30, TimeUnit.SECONDS);
      }
    } finally {
      callers.shutdownNow();
    }
    assertEquals(2, syncs.get());
  }

  @Test
  void one_that_failed_is_no_sync_for_those_who_come_after() {
    AtomicInteger syncs = new AtomicInteger();
    SharedSync shared =
        new SharedSync(
            () -> {
              if (syncs.incrementAndGet() == 1) {
                throw new IllegalStateException("the test wants it so");
              }
            });
    assertThrows(IllegalStateException.class, shared::await);
    shared.await();
    assertEquals(2, syncs.get());
  }

  private static void await(CountDownLatch latch) {
    try {
      assertTrue(latch.await(30, TimeUnit.SECONDS));
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
