package dev.stapes.storage.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Lists of a zpool that hangs. */
@Tag("once")
@Timeout(60)
class ZfsListTest {
  private final HungProgram hung = new HungProgram();
  private final CountDownLatch closed = new CountDownLatch(1);

  @AfterEach
  void letGo() throws InterruptedException {
    hung.letGo();
    assertTrue(closed.await(60, TimeUnit.SECONDS), "who reads it ends with it");
  }

  private List<String> read(BooleanSupplier stuck, Duration patience) {
    PipedProgram program = new PipedProgram(hung, "program zfs", ended -> closed.countDown());
    return new ZfsList<>(program, 1, row -> Optional.of(row.get(0)))
        .read("pool p", stuck, patience);
  }

  private Kind refused(BooleanSupplier stuck, Duration patience) {
    return assertThrows(StapesException.class, () -> read(stuck, patience)).kind();
  }

  @Test
  void nobody_waits_for_one_of_a_zpool_that_has_stopped_although_it_cannot_be_killed() {
    assertEquals(Kind.UNAVAILABLE, refused(() -> true, Duration.ofDays(1)));
    assertTrue(hung.isKilled());
  }

  @Test
  void nobody_waits_for_one_that_says_nothing() {
    assertEquals(Kind.TIMED_OUT, refused(() -> false, Duration.ofMillis(1)));
    assertTrue(hung.isKilled());
  }

  @Test
  void who_is_interrupted_waits_no_more() throws Exception {
    CountDownLatch looked = new CountDownLatch(1);
    CompletableFuture<Boolean> stayed = new CompletableFuture<>();
    CompletableFuture<Kind> kind = new CompletableFuture<>();
    Thread reader =
        new Thread(
            () -> {
              kind.complete(
                  refused(
                      () -> {
                        looked.countDown();
                        return false;
                      },
                      Duration.ofDays(1)));
              stayed.complete(Thread.currentThread().isInterrupted());
            });
    reader.start();
    assertTrue(looked.await(60, TimeUnit.SECONDS));
    reader.interrupt();
    reader.join();
    assertEquals(Kind.INTERRUPTED, kind.get());
    assertTrue(stayed.get(), "who is interrupted stays so");
    assertTrue(hung.isKilled());
  }
}
