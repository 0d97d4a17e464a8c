package dev.stapes.storage.lvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.Size;
import java.util.Optional;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;

/** How a group's space is divided, and when a pool is full. */
class ThinPoolPlanTest {
  private static final long MIB = 1L << 20;

  @Test
  void a_small_group_has_little_metadata_and_room_for_as_much_again() {
    ThinPoolPlan plan = ThinPoolPlan.of(252 * MIB, MIB, Optional.empty()).orElseThrow();
    assertEquals(4 * MIB, plan.metadata());
    assertEquals(240 * MIB, plan.data());
    assertEquals(64 << 10, plan.chunk());
  }

  @Test
  void a_group_without_room_has_no_plan() {
    assertEquals(Optional.empty(), ThinPoolPlan.of(12 * MIB, MIB, Optional.empty()));
    assertEquals(Optional.empty(), ThinPoolPlan.of(0, MIB, Optional.empty()));
    assertEquals(
        Optional.empty(), ThinPoolPlan.of(100 * MIB, MIB, Optional.of(Size.ofMebibytes(40))));
  }

  @Test
  void metadata_is_as_large_as_asked_for_within_what_the_kernel_can() {
    assertEquals(
        100 * MIB,
        ThinPoolPlan.of(1000 * MIB, 4 * MIB, Optional.of(Size.ofMebibytes(99)))
            .orElseThrow()
            .metadata());
    assertEquals(
        15L << 30,
        ThinPoolPlan.of(1L << 50, 4 * MIB, Optional.of(Size.ofGibibytes(99)))
            .orElseThrow()
            .metadata());
  }

  @Property
  void a_plan_is_of_whole_extents_and_fits(@ForAll @LongRange(min = 0, max = 1L << 52) long free) {
    long extent = 4 * MIB;
    ThinPoolPlan.of(free, extent, Optional.empty())
        .ifPresent(
            plan -> {
              assertEquals(0, plan.data() % extent);
              assertEquals(0, plan.metadata() % extent);
              assertTrue(plan.data() > 0);
              long all = plan.data() + 2 * plan.metadata() + ThinPoolPlan.reserve(plan.metadata());
              assertTrue(all <= free, plan + " of " + free);
              assertEquals(1, Long.bitCount(plan.chunk()));
              assertTrue(plan.chunk() <= 1L << 30);
            });
  }

  @Test
  void a_pool_is_full_before_it_is_full() {
    assertTrue(new Fullness(100, 95, 100, 0).problem().orElse("").contains("data"));
    assertTrue(new Fullness(100, 10, 100, 90).problem().orElse("").contains("metadata"));
    assertEquals(Optional.empty(), new Fullness(100, 94.9, 100, 89.9).problem());
    assertEquals(50, new Fullness(200, 25, 1, 1).used());
  }
}
