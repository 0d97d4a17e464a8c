package dev.stapes.lxc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.IdMapping;
import dev.stapes.model.StapesException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.constraints.Size;

class IdMapPropertyTest {
  private static final SubordinateIds ALL = new SubordinateIds(1_000_000, 2_000_000);

  @Property
  void isolated_ranges_never_overlap_and_stay_where_they_may_be(
      @ForAll @Size(max = 30) List<@IntRange(min = 1, max = 200_000) Integer> sizes,
      @ForAll @IntRange(min = 2, max = 5) int removeEvery) {
    List<IsolatedIds> given = new ArrayList<>();
    int turn = 0;
    for (int size : sizes) {
      if (++turn % removeEvery == 0 && !given.isEmpty()) {
        given.remove(turn % given.size());
      }
      try {
        IsolatedIds ids = IsolatedIds.firstFree(ALL, size, given);
        assertTrue(ids.base() >= ALL.base() + SubordinateIds.LEAST);
        assertTrue(ids.base() + ids.size() <= ALL.base() + ALL.count());
        for (IsolatedIds other : given) {
          assertTrue(
              ids.base() + ids.size() <= other.base() || other.base() + other.size() <= ids.base());
        }
        given.add(ids);
      } catch (StapesException e) {
        assertEquals(StapesException.Kind.EXHAUSTED, e.kind());
      }
    }
  }

  @Property
  void a_raw_entry_changes_its_own_ids_and_no_others(
      @ForAll @LongRange(max = 70_000) long host,
      @ForAll @LongRange(max = 70_000) long inside,
      @ForAll @LongRange(min = 1, max = 5_000) long count,
      @ForAll @LongRange(max = 80_000) long probe) {
    IdMapping base = IdMapping.of(1_000_000, 65_536);
    String line =
        "uid " + host + "-" + (host + count - 1) + " " + inside + "-" + (inside + count - 1);

    IdMapping mapped = RawIdMap.parse(line).over(base);

    OptionalLong expected =
        probe >= inside && probe < inside + count
            ? OptionalLong.of(host + probe - inside)
            : base.hostUid(probe);
    assertEquals(expected, mapped.hostUid(probe));
    assertEquals(base.hostGid(probe), mapped.hostGid(probe));
  }
}
