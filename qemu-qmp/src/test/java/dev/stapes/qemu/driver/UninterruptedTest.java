package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class UninterruptedTest {
  private final List<Boolean> seen = new ArrayList<>();

  private void look() {
    seen.add(Thread.currentThread().isInterrupted());
  }

  @Test
  void a_thread_that_was_interrupted_is_so_again_afterwards() {
    Thread.currentThread().interrupt();
    Uninterrupted.run(this::look);
    assertEquals(List.of(false), seen);
    assertTrue(Thread.interrupted());
  }

  @Test
  void also_where_it_fails() {
    Thread.currentThread().interrupt();
    assertThrows(
        IllegalStateException.class,
        () ->
            Uninterrupted.run(
                () -> {
                  throw new IllegalStateException();
                }));
    assertTrue(Thread.interrupted());
  }

  @Test
  void who_is_interrupted_meanwhile_stays_so_and_nobody_else() {
    Uninterrupted.run(() -> Thread.currentThread().interrupt());
    assertTrue(Thread.interrupted());
    Uninterrupted.run(this::look);
    assertFalse(Thread.interrupted());
  }
}
