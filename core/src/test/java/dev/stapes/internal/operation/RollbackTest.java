package dev.stapes.internal.operation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.LeftoversException;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class RollbackTest {
  private final List<String> undone = new ArrayList<>();

  private void step(Rollback rollback, String what) {
    rollback.add(what, () -> undone.add(what));
  }

  @Test
  void without_commit_all_is_undone_newest_first() {
    try (Rollback rollback = new Rollback("instance web")) {
      step(rollback, "volume");
      step(rollback, "network");
      step(rollback, "cgroup");
    }
    assertEquals(List.of("cgroup", "network", "volume"), undone);
  }

  @Test
  void after_commit_nothing_is_undone() {
    try (Rollback rollback = new Rollback("instance web")) {
      step(rollback, "volume");
      rollback.commit();
    }
    assertEquals(List.of(), undone);
  }

  @Test
  void a_second_close_undoes_nothing_again() {
    Rollback rollback = new Rollback("instance web");
    step(rollback, "volume");
    rollback.close();
    rollback.close();
    assertEquals(List.of("volume"), undone);
  }

  @Test
  void a_step_that_comes_after_the_end_is_refused_by_name() {
    Rollback rollback = new Rollback("instance web");
    rollback.commit();
    StapesException error =
        assertThrows(StapesException.class, () -> step(rollback, "volume late"));
    assertEquals(Kind.INTERNAL, error.kind());
    assertTrue(error.toString().contains("volume late"));
  }

  @Test
  void what_cannot_be_undone_is_named_and_the_rest_is_undone() {
    IOException first = new IOException("device is busy");
    AssertionError second = new AssertionError("worse");
    LeftoversException error =
        assertThrows(
            LeftoversException.class,
            () -> {
              try (Rollback rollback = new Rollback("instance web")) {
                step(rollback, "volume a");
                rollback.add(
                    "mount b",
                    () -> {
                      throw first;
                    });
                step(rollback, "volume c");
                rollback.add(
                    "cgroup d",
                    () -> {
                      throw second;
                    });
              }
            });
    assertEquals(List.of("volume c", "volume a"), undone);
    assertEquals(List.of("cgroup d", "mount b"), error.leftovers());
    assertEquals(List.of(second, first), List.of(error.getSuppressed()));
    assertEquals("instance web", error.subject());
  }

  @Test
  void leftovers_are_suppressed_by_the_error_that_led_to_them() {
    StapesException primary = StapesException.invalid("size", "too big: 9");
    StapesException thrown =
        assertThrows(
            StapesException.class,
            () -> {
              try (Rollback rollback = new Rollback("instance web")) {
                rollback.add(
                    "mount b",
                    () -> {
                      throw new IOException("device is busy");
                    });
                throw primary;
              }
            });
    assertSame(primary, thrown);
    assertEquals(1, thrown.getSuppressed().length);
    assertEquals(List.of("mount b"), ((LeftoversException) thrown.getSuppressed()[0]).leftovers());
  }

  @Test
  void an_interrupted_thread_undoes_all_uninterrupted_and_is_interrupted_afterwards() {
    Rollback rollback = new Rollback("instance web");
    CountDownLatch open = new CountDownLatch(0);
    step(rollback, "volume");
    rollback.add(
        "process",
        () -> {
          assertFalse(Thread.currentThread().isInterrupted());
          open.await();
          undone.add("process");
        });
    Thread.currentThread().interrupt();
    rollback.close();
    assertTrue(Thread.interrupted());
    assertEquals(List.of("process", "volume"), undone);
  }

  @Test
  void an_undo_that_an_interrupt_disturbs_is_tried_again() {
    AtomicInteger tries = new AtomicInteger();
    Rollback rollback = new Rollback("instance web");
    step(rollback, "volume");
    rollback.add(
        "process",
        () -> {
          if (tries.incrementAndGet() == 1) {
            throw new StapesException(Kind.INTERRUPTED, "process", "interrupted");
          }
          if (tries.get() == 2) {
            Thread.currentThread().interrupt();
            throw new IOException("closed by interrupt");
          }
          undone.add("process");
        });
    rollback.close();
    assertTrue(Thread.interrupted());
    assertEquals(List.of("process", "volume"), undone);
  }

  @Test
  void an_undo_that_always_fails_by_interrupts_is_given_up() {
    AtomicInteger tries = new AtomicInteger();
    Rollback rollback = new Rollback("instance web");
    rollback.add(
        "process",
        () -> {
          tries.incrementAndGet();
          throw new InterruptedException();
        });
    LeftoversException error = assertThrows(LeftoversException.class, rollback::close);
    assertEquals(List.of("process"), error.leftovers());
    assertEquals(3, tries.get());
  }

  @Test
  void an_undo_that_fails_is_not_tried_again() {
    AtomicInteger tries = new AtomicInteger();
    Rollback rollback = new Rollback("instance web");
    rollback.add(
        "mount",
        () -> {
          tries.incrementAndGet();
          throw new IOException("device is busy");
        });
    Thread.currentThread().interrupt();
    assertThrows(LeftoversException.class, rollback::close);
    assertTrue(Thread.interrupted());
    assertEquals(1, tries.get());
  }
}
