package dev.stapes.linux.cgroup;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CpuSetTest {

  @Provide
  Arbitrary<Set<Integer>> ids() {
    return Arbitraries.integers().between(0, 70).set().ofMaxSize(40);
  }

  @Property
  void every_set_survives_format_and_parse(@ForAll("ids") Set<Integer> ids) {
    CpuSet set = CpuSet.of(ids);
    assertEquals(set, CpuSet.parse(set.toString()));
    assertEquals(ids, set.stream().boxed().collect(Collectors.toSet()));
    assertEquals(ids.size(), set.size());
  }

  @Property
  void the_format_has_no_range_that_could_be_longer(@ForAll("ids") Set<Integer> ids) {
    int last = -2;
    for (String chunk : CpuSet.of(ids).toString().split(",")) {
      if (!chunk.isEmpty()) {
        String[] ends = chunk.split("-");
        assertTrue(Integer.parseInt(ends[0]) > last + 1, chunk);
        last = Integer.parseInt(ends[ends.length - 1]);
      }
    }
  }

  @Property
  void intersection_and_union_are_those_of_sets(
      @ForAll("ids") Set<Integer> a, @ForAll("ids") Set<Integer> b) {
    CpuSet both = CpuSet.of(a).intersection(CpuSet.of(b));
    CpuSet either = CpuSet.of(a).union(CpuSet.of(b));
    assertEquals(a.stream().filter(b::contains).collect(Collectors.toSet()), boxed(both));
    assertEquals(a.size() + b.size(), both.size() + either.size());
    assertTrue(either.containsAll(both));
    assertEquals(a.containsAll(b), CpuSet.of(a).containsAll(CpuSet.of(b)));
  }

  private static Set<Integer> boxed(CpuSet set) {
    return set.stream().boxed().collect(Collectors.toSet());
  }

  @Property
  void any_text_is_parsed_or_refused_with_the_text_in_the_message(@ForAll String text) {
    try {
      CpuSet.parse(text);
    } catch (IllegalArgumentException e) {
      assertTrue(String.valueOf(e.getMessage()).contains("\"" + text + "\""), e.getMessage());
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {"0-3,7 | 0-3,7", "7,0-2,3 | 0-3,7", "0 | 0", "0-0 | 0", "'' | ''", "0-2,1-4 | 0-4"})
  void the_kernels_lists_are_read(String list, String canonical) {
    assertEquals(canonical, CpuSet.parse(list + "\n").toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a",
        "0-",
        "-1",
        "0,,1",
        "0,",
        "3-1",
        "0-8192",
        "0-9999999999",
        "0 1",
        "0-7:1/2",
        "٣"
      })
  void what_is_no_list_is_refused_with_the_value(String list) {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> CpuSet.parse(list));
    assertTrue(
        String.valueOf(e.getMessage()).startsWith("invalid CPU list \"" + list + "\""),
        e.getMessage());
  }

  @Test
  void a_negative_id_is_refused() {
    assertThrows(IllegalArgumentException.class, () -> CpuSet.of(-1));
    assertThrows(IllegalArgumentException.class, () -> CpuSet.of(List.of(8192)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "2 | count 2",
        "0-3 | pinned 0-3",
        "0,2 | pinned 0,2",
        "1-1 | pinned 1",
        "012 | count 12"
      })
  void the_forms_of_limits_cpu_are_read(String value, String expected) {
    CpuRequest request = CpuRequest.parse(value);
    String got =
        request instanceof CpuRequest.Count count
            ? "count " + count.count()
            : "pinned " + ((CpuRequest.Pinned) request).cpus();
    assertEquals(expected, got);
    assertEquals(request, CpuRequest.parse(request.toString()));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "0", "-1", "1.5", " 2", "0-3,2", "1,1", "99999999999", "two", "3-1", "1,"})
  void other_forms_are_refused_with_the_value(String value) {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> CpuRequest.parse(value));
    assertTrue(String.valueOf(e.getMessage()).contains("\"" + value + "\""), e.getMessage());
  }
}
