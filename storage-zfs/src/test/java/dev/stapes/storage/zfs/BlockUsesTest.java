package dev.stapes.storage.zfs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Who is told that a zvol has grown. */
class BlockUsesTest {
  private static final Place A = Place.of(new DatasetName("tank/a"));
  private static final Place B = Place.of(new DatasetName("tank/b"));

  private final BlockUses uses = new BlockUses();
  private final List<String> told = new ArrayList<>();

  @Test
  void what_has_grown_before_somebody_wanted_to_know_is_told() {
    BlockUses.Use use = uses.begin(A);
    uses.grown(A);
    uses.growing(use, () -> told.add("view"));
    assertEquals(List.of("view"), told);
    uses.grown(B);
    assertEquals(List.of("view"), told);
    uses.grown(A);
    assertEquals(List.of("view", "view"), told);
    uses.end(use);
    uses.grown(A);
    assertEquals(List.of("view", "view"), told);
  }

  @Test
  void all_are_told_also_where_one_fails() {
    RuntimeException first = new IllegalStateException("first");
    RuntimeException last = new IllegalStateException("last");
    for (RuntimeException error : List.of(first, last)) {
      BlockUses.Use failing = uses.begin(B);
      uses.growing(
          failing,
          () -> {
            if (!told.isEmpty()) {
              throw error;
            }
          });
    }
    BlockUses.Use use = uses.begin(B);
    uses.growing(use, () -> told.add("view"));
    assertEquals(first, assertThrows(IllegalStateException.class, () -> uses.grown(B)));
    assertArrayEquals(new Throwable[] {last}, first.getSuppressed());
    assertEquals(List.of("view", "view"), told);
  }
}
