package dev.stapes.linux.block;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

/** The size of a pool's file where nobody says one. */
class LoopFileTest {
  private static final long MIB = 1L << 20;
  private static final long GIB = 1L << 30;

  private static OptionalLong size(long available) {
    return LoopFile.usualSize(available, 64 * MIB);
  }

  @Test
  void it_is_a_fifth_of_what_is_free_from_5_to_30_gib() {
    assertEquals(OptionalLong.of(5 * GIB), size(6 * GIB));
    assertEquals(OptionalLong.of(5 * GIB), size(25 * GIB));
    assertEquals(OptionalLong.of(10 * GIB), size(50 * GIB));
    assertEquals(OptionalLong.of(30 * GIB), size(1000 * GIB));
  }

  @Test
  void it_is_never_more_than_there_is_in_whole_mebibytes() {
    assertEquals(OptionalLong.of(2 * GIB), size(2 * GIB + 5));
    assertEquals(OptionalLong.of(64 * MIB), size(64 * MIB));
    assertEquals(OptionalLong.empty(), size(64 * MIB - 1));
    assertEquals(OptionalLong.empty(), size(0));
  }
}
