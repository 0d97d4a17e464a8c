package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LiveChangesTest {
  private final LiveChanges changes = new LiveChanges();
  private final List<String> done = new ArrayList<>();

  @Test
  void what_is_so_already_is_not_done_again() {
    changes.apply("size", 1, 1, size -> done.add("to " + size));
    changes.apply("size", 1, 2, size -> done.add("to " + size));
    changes.apply("size", 1, 2, size -> done.add("again to " + size));
    changes.apply("size", 2, 1, size -> done.add("back to " + size));
    assertEquals(List.of("to 2", "back to 1"), done);
  }

  @Test
  void the_first_of_two_changes_is_undone_when_the_second_failed() {
    changes.apply("cpus", 1, 2, cpus -> done.add("cpus " + cpus));
    assertThrows(
        IllegalStateException.class,
        () ->
            changes.apply(
                "memory",
                10,
                20,
                memory -> {
                  throw new IllegalStateException("memory " + memory);
                }));
    changes.apply("cpus", 1, 1, cpus -> done.add("cpus " + cpus));
    changes.apply("memory", 10, 10, memory -> done.add("memory " + memory));
    assertEquals(List.of("cpus 2", "cpus 1", "memory 10"), done);
  }
}
