package dev.stapes.linux.cgroup;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class CpuBalanceTest {
  private static final CpuSet FOUR = CpuSet.parse("0-3");

  @Test
  void the_least_loaded_are_chosen_and_the_lowest_among_equals() {
    assertEquals("0-1", CpuBalance.choose(2, FOUR, List.of()).toString());
    assertEquals(
        "1,3", CpuBalance.choose(2, FOUR, List.of(CpuSet.of(0), CpuSet.of(0, 2))).toString());
  }

  @Test
  void pinned_ones_stay_and_the_others_keep_clear_of_them() {
    Map<String, CpuRequest> requests = new LinkedHashMap<>();
    requests.put("b", CpuRequest.parse("1"));
    requests.put("a", CpuRequest.parse("2"));
    requests.put("pinned", CpuRequest.parse("0-1"));
    SortedMap<String, CpuSet> assigned = CpuBalance.assign(FOUR, requests);
    assertEquals("{a=2-3, b=0, pinned=0-1}", assigned.toString());
  }

  @Test
  void offline_pins_are_dropped_and_one_with_no_cpu_left_is_left_out() {
    SortedMap<String, CpuSet> assigned =
        CpuBalance.assign(FOUR, Map.of("a", CpuRequest.parse("2-9"), "b", CpuRequest.parse("8,9")));
    assertEquals("{a=2-3}", assigned.toString());
  }

  @Test
  void more_than_there_are_is_all_of_them() {
    assertEquals(FOUR, CpuBalance.choose(99, FOUR, List.of()));
  }

  @Test
  void nothing_can_be_chosen_of_nothing() {
    assertThrows(
        IllegalArgumentException.class, () -> CpuBalance.choose(1, CpuSet.EMPTY, List.of()));
    assertThrows(IllegalArgumentException.class, () -> CpuBalance.assign(CpuSet.EMPTY, Map.of()));
  }

  @Provide
  Arbitrary<Map<String, CpuRequest>> requests() {
    Arbitrary<CpuRequest> counts = Arbitraries.integers().between(1, 10).map(CpuRequest.Count::new);
    Arbitrary<CpuRequest> pins =
        Arbitraries.integers()
            .between(0, 9)
            .set()
            .ofMinSize(1)
            .ofMaxSize(4)
            .map(ids -> new CpuRequest.Pinned(CpuSet.of(ids)));
    return Arbitraries.maps(
            Arbitraries.strings().alpha().ofLength(3), Arbitraries.oneOf(counts, pins))
        .ofMaxSize(12);
  }

  @Property
  void everyone_gets_what_was_asked_for_of_what_is_online(
      @ForAll("requests") Map<String, CpuRequest> requests,
      @ForAll @IntRange(min = 1, max = 8) int cpus) {
    CpuSet online = CpuSet.parse("0-" + (cpus - 1));
    SortedMap<String, CpuSet> assigned = CpuBalance.assign(online, requests);
    requests.forEach(
        (name, request) -> {
          CpuSet got = assigned.getOrDefault(name, CpuSet.EMPTY);
          assertTrue(online.containsAll(got));
          if (request instanceof CpuRequest.Pinned pinned) {
            assertEquals(pinned.cpus().intersection(online), got);
          } else {
            assertEquals(Math.min(cpus, ((CpuRequest.Count) request).count()), got.size());
          }
        });
  }

  @Property
  void without_pins_no_cpu_has_two_more_than_another(
      @ForAll @IntRange(min = 1, max = 8) int cpus,
      @ForAll Set<@IntRange(min = 1, max = 8) Integer> counts) {
    Map<String, CpuRequest> requests = new HashMap<>();
    counts.forEach(count -> requests.put("n" + count, new CpuRequest.Count(count)));
    CpuSet online = CpuSet.parse("0-" + (cpus - 1));
    SortedMap<String, CpuSet> assigned = CpuBalance.assign(online, requests);
    List<Long> load =
        online.stream()
            .mapToObj(cpu -> assigned.values().stream().filter(set -> set.contains(cpu)).count())
            .sorted()
            .toList();
    assertTrue(load.get(load.size() - 1) - load.get(0) <= 1, load.toString());
  }

  @Property
  void the_order_of_the_requests_does_not_matter(
      @ForAll("requests") Map<String, CpuRequest> requests) {
    Map<String, CpuRequest> reversed = new LinkedHashMap<>();
    requests.keySet().stream()
        .sorted(java.util.Comparator.reverseOrder())
        .forEach(name -> reversed.put(name, requests.getOrDefault(name, new CpuRequest.Count(1))));
    assertEquals(CpuBalance.assign(FOUR, requests), CpuBalance.assign(FOUR, reversed));
  }
}
