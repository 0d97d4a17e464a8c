package dev.stapes.benchmarks.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class AxisTest {
  @Test
  void a_linear_axis_ends_at_a_round_number() {
    Axis axis = Axis.linear(0.83, 100);
    assertEquals(List.of("0", "0.2", "0.4", "0.6", "0.8", "1.0"), words(axis));
    assertEquals(0, axis.at(0));
    assertEquals(50, axis.at(0.5), 1e-9);
    assertEquals(List.of("0", "20", "40", "60"), words(Axis.linear(60, 100)));
    assertEquals(List.of("0", "10k", "20k", "30k"), words(Axis.linear(25_001, 100)).subList(0, 4));
  }

  private static List<String> words(Axis axis) {
    return axis.ticks().stream().map(axis::say).toList();
  }

  @Test
  void numbers_far_apart_get_a_logarithmic_axis() {
    Axis axis = Axis.over(List.of(0.2, 150.0), 300);
    assertTrue(axis.logarithmic());
    assertEquals(List.of("0.1", "1", "10", "100", "1000"), words(axis));
    assertEquals(75, axis.at(1), 1e-9);
    assertFalse(Axis.over(List.of(2.0, 40.0), 300).logarithmic());
  }

  @Test
  void nothing_leaves_the_axis() {
    Axis axis = Axis.over(List.of(0.0, 0.0), 10);
    assertEquals(0, axis.at(0));
    assertEquals(10, axis.at(99));
    assertEquals(0, Axis.over(List.of(0.0, 0.2, 150.0), 300).at(0));
  }
}
