package dev.stapes.spi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

class GateTest {
  private final Gate gate = new Gate("pool p");
  private final List<String> done = new ArrayList<>();

  @Test
  void nothing_passes_once_it_is_closed() {
    gate.pass("use", () -> done.add("used"));
    gate.close("close", () -> done.add("closed"));
    gate.close("close", () -> done.add("closed again"));
    StapesException refused =
        assertThrows(StapesException.class, () -> gate.pass("use", () -> done.add("too late")));
    assertEquals(StapesException.Kind.UNAVAILABLE, refused.kind());
    assertEquals("pool p", refused.subject());
    assertThrows(StapesException.class, () -> gate.alone("grow", () -> done.add("too late")));
    assertEquals(List.of("used", "closed"), done);
  }

  @Test
  void a_close_that_fails_is_one() {
    assertThrows(IllegalStateException.class, () -> gate.close("close", GateTest::fail));
    assertThrows(StapesException.class, () -> gate.pass("use", () -> {}));
  }

  @Test
  void what_must_be_done_before_it_is_closed_can_be_tried_again() {
    assertThrows(IllegalStateException.class, () -> gate.closeAfter("destroy", GateTest::fail));
    gate.pass("use", () -> done.add("used"));
    gate.closeAfter("destroy", () -> done.add("destroyed"));
    gate.close("close", () -> done.add("closed"));
    assertEquals(List.of("used", "destroyed"), done);
  }

  @Test
  void errors_are_named_by_the_driver() {
    Gate naming =
        new Gate(
            "pool p",
            new Gate.Naming() {
              @Override
              public <T> T call(String subject, String wanted, Supplier<T> work) {
                try {
                  return work.get();
                } catch (IllegalStateException e) {
                  throw new StapesException(StapesException.Kind.BUSY, subject, wanted, e);
                }
              }
            });
    StapesException named =
        assertThrows(StapesException.class, () -> naming.pass("copy", GateTest::fail));
    assertEquals(StapesException.Kind.BUSY, named.kind());
    assertTrue(String.valueOf(named.getMessage()).contains("copy"), named.getMessage());
  }

  @Test
  void one_that_wants_to_be_alone_waits_for_the_others() throws Exception {
    CountDownLatch inside = new CountDownLatch(1);
    CountDownLatch leave = new CountDownLatch(1);
    CompletableFuture<Void> other =
        CompletableFuture.runAsync(
            () ->
                gate.pass(
                    "use",
                    () -> {
                      inside.countDown();
                      await(leave);
                      done.add("other");
                    }));
    await(inside);
    CompletableFuture<Void> alone =
        CompletableFuture.runAsync(() -> gate.alone("grow", () -> done.add("alone")));
    leave.countDown();
    CompletableFuture.allOf(other, alone).get(60, TimeUnit.SECONDS);
    assertEquals(List.of("other", "alone"), done);
  }

  @Test
  void an_interrupted_thread_cleans_up_and_stays_interrupted() {
    IllegalStateException reason = new IllegalStateException("first");
    Thread.currentThread().interrupt();
    Undo.after(reason, () -> done.add("interrupted: " + Thread.currentThread().isInterrupted()));
    assertTrue(Thread.interrupted());
    assertEquals(List.of("interrupted: false"), done);
  }

  @Test
  void an_error_of_cleaning_up_is_added_to_its_reason() {
    IllegalStateException reason = new IllegalStateException("first");
    Undo.after(reason, GateTest::fail);
    assertEquals("failed", reason.getSuppressed()[0].getMessage());
    Undo.after(
        reason,
        () -> {
          throw reason;
        });
    assertEquals(1, reason.getSuppressed().length);
    assertSame(reason, assertThrows(IllegalStateException.class, () -> rethrow(reason)));
  }

  private static void rethrow(IllegalStateException reason) {
    Undo.after(reason, () -> {});
    throw reason;
  }

  private static void fail() {
    throw new IllegalStateException("failed");
  }

  private static void await(CountDownLatch latch) {
    try {
      assertTrue(latch.await(60, TimeUnit.SECONDS));
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
