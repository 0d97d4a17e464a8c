package dev.stapes.storage.lvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.stapes.storage.lvm.DeviceUses.Use;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Who is told that a volume has grown. */
class DeviceUsesTest {
  private final DeviceUses uses = new DeviceUses();
  private final List<String> told = new ArrayList<>();
  private final List<String> gone = new ArrayList<>();

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
