package dev.stapes.benchmarks;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class StatisticsTest {
  @Test
  void the_median_is_the_middle_sample_in_whatever_order_they_come() {
    assertEquals(2, Statistics.median(new long[] {9, 1, 2}));
  }

  @Test
  void the_median_of_an_even_number_is_the_mean_of_the_middle_two() {
    assertEquals(2.5, Statistics.median(new long[] {4, 1, 3, 2}));
  }

  @Test
  void the_p90_of_thirty_is_the_twenty_seventh() {
    long[] samples = LongStream.rangeClosed(1, 30).map(i -> 31 - i).toArray();
    assertEquals(27, Statistics.percentile(samples, 90));
  }

  @Test
  void one_sample_is_all_percentiles() {
    assertEquals(7, Statistics.median(new long[] {7}));
    assertEquals(7, Statistics.percentile(new long[] {7}, 1));
    assertEquals(7, Statistics.percentile(new long[] {7}, 100));
  }

  @Test
  void samples_stay_as_they_are() {
    long[] samples = {3, 1, 2};
    Statistics.median(samples);
    assertArrayEquals(new long[] {3, 1, 2}, samples);
  }

  @Test
  void there_is_no_figure_of_nothing() {
    assertThrows(IllegalArgumentException.class, () -> Statistics.median(new long[0]));
    assertThrows(IllegalArgumentException.class, () -> Statistics.percentile(new long[0], 90));
  }

  @Test
  void a_percentage_is_between_1_and_100() {
    assertThrows(IllegalArgumentException.class, () -> Statistics.percentile(new long[] {1}, 0));
    assertThrows(IllegalArgumentException.class, () -> Statistics.percentile(new long[] {1}, 101));
  }
}
