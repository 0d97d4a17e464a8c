package dev.stapes.benchmarks.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class StepsTest {
  private final List<String> done = new ArrayList<>();

  private Runnable fail(RuntimeException with) {
    return () -> {
      done.add("failed");
      throw with;
    };
  }

  @Test
  void what_fails_does_not_keep_the_others_from_being_done() {
    RuntimeException first = new IllegalStateException("first");
    RuntimeException second = new IllegalStateException("second");
    List<Runnable> steps = List.of(fail(first), () -> done.add("a"), fail(second));
    assertSame(first, assertThrows(RuntimeException.class, () -> Steps.all(steps)));
    assertEquals(List.of("failed", "a", "failed"), done);
    assertSame(second, first.getSuppressed()[0]);
  }

  @Test
  void where_nothing_fails_nothing_is_thrown() {
    Steps.all(List.of(() -> done.add("a"), () -> done.add("b")));
    assertEquals(List.of("a", "b"), done);
  }
}
