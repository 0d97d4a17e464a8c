package dev.stapes.storage.lvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.stapes.storage.lvm.DeviceUses.Use;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** Who is told that a volume has grown. */
class DeviceUsesTest {
  private final DeviceUses uses = new DeviceUses();
  private final List<String> told = new ArrayList<>();
  private final List<String> gone = new CopyOnWriteArrayList<>();

  private Use use(String name) {
    return new Use(Path.of(name), () -> told.add(name), () -> gone.add(name));
  }

  private static Use failing(RuntimeException error) {
    boolean[] begun = new boolean[1];
    Runnable growing =
        () -> {
          if (begun[0]) {
            throw error;
          }
          begun[0] = true;
        };
    return new Use(Path.of("failing"), growing, () -> {});
  }

  /** It may have grown between the two. */
  @Test
  void who_begins_to_use_a_device_looks_again_once_he_is_known() {
    uses.begin(use("a"), "v1");
    assertEquals(List.of("a"), told);
  }

  @Test
  void those_of_a_volume_are_told_and_others_are_not() {
    Use gone = use("gone");
    uses.begin(use("a"), "v1");
    uses.begin(use("b"), "v2");
    uses.begin(gone, "v1");
    uses.end(gone);
    told.clear();
    uses.grown("v1");
    assertEquals(List.of("a"), told);
  }

  @Test
  void all_are_told_where_some_fail_and_the_first_error_is_kept() {
    RuntimeException one = new IllegalStateException("one");
    RuntimeException two = new IllegalStateException("two");
    uses.begin(failing(one), "v1");
    uses.begin(use("a"), "v1");
    uses.begin(failing(two), "v1");
    uses.begin(use("b"), "v1");
    told.clear();
    RuntimeException error = assertThrows(RuntimeException.class, () -> uses.grown("v1"));
    assertEquals(2, told.size());
    assertEquals(1, error.getSuppressed().length);
    assertSame(error == one ? two : one, error.getSuppressed()[0]);
  }

  @Test
  void all_go_where_some_fail_and_the_first_error_is_kept() {
    for (int i = 0; i < 4; i++) {
      String name = "v" + i;
      RuntimeException error = new IllegalStateException(name);
      boolean fails = i % 2 == 0;
      Runnable letGo =
          () -> {
            gone.add(name);
            if (fails) {
              throw error;
            }
          };
      uses.begin(new Use(Path.of(name), () -> {}, letGo), name);
    }
    RuntimeException error = assertThrows(RuntimeException.class, uses::close);
    assertEquals(1, error.getSuppressed().length);
    assertEquals(4, gone.size());
    uses.close();
    assertEquals(4, gone.size());
  }

  @Test
  void who_waits_for_a_device_to_go_keeps_nobody_from_the_others() throws Exception {
    CountDownLatch going = new CountDownLatch(1);
    CountDownLatch released = new CountDownLatch(1);
    Use slow = new Use(Path.of("slow"), () -> told.add("slow"), () -> waitFor(going, released));
    uses.begin(slow, "v1");
    ExecutorService other = Executors.newSingleThreadExecutor();
    try {
      Future<?> end = other.submit(() -> uses.end(slow));
      going.await();
      told.clear();
      uses.begin(use("a"), "v1");
      uses.grown("v1");
      uses.end(slow);
      assertEquals(List.of("a", "a"), told);
      assertFalse(end.isDone());
      released.countDown();
      assertNull(end.get());
    } finally {
      released.countDown();
      other.shutdown();
    }
    assertEquals(List.of("slow"), gone);
  }

  /** Nothing of a pool is in use when it is closed. */
  @Test
  void a_close_waits_for_a_device_that_somebody_lets_go() throws Exception {
    CountDownLatch going = new CountDownLatch(1);
    CountDownLatch released = new CountDownLatch(1);
    Use slow = new Use(Path.of("slow"), () -> {}, () -> waitFor(going, released));
    Use last = new Use(Path.of("last"), () -> {}, released::countDown);
    uses.begin(slow, "v1");
    uses.begin(last, "v2");
    ExecutorService other = Executors.newSingleThreadExecutor();
    try {
      Future<?> end = other.submit(() -> uses.end(slow));
      going.await();
      uses.close();
      assertEquals(List.of("slow"), gone);
      assertNull(end.get());
    } finally {
      released.countDown();
      other.shutdown();
    }
  }

  private void waitFor(CountDownLatch going, CountDownLatch released) {
    going.countDown();
    try {
      released.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    gone.add("slow");
  }

  @Test
  void a_device_that_cannot_be_looked_at_is_let_go() {
    Use broken =
        new Use(
            Path.of("broken"),
            () -> {
              throw new IllegalStateException("no size");
            },
            () -> gone.add("broken"));
    assertThrows(IllegalStateException.class, () -> uses.begin(broken, "v1"));
    assertEquals(List.of("broken"), gone);
    uses.close();
    assertEquals(List.of("broken"), gone);
  }
}
