package dev.stapes.benchmarks.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class MeasurementTest {
  @Test
  void times_are_milliseconds_with_their_spread() {
    Measurement measured = Samples.of(StoragePath.CREATE, 0, "dir", 5_000, 1_000, 2_500, 2_000);
    assertEquals("ms", measured.unit());
    assertEquals(2.25, measured.median());
    assertEquals(1, measured.low());
    assertEquals(5, measured.high());
    assertEquals(List.of(5.0, 1.0, 2.5, 2.0), measured.samples());
  }

  @Test
  void work_by_time_is_a_rate() {
    // A million bytes, operations or clones in 10 and in 20 ms.
    Measurement bytes = Samples.of(StoragePath.SEQUENTIAL_READ, 0, "dir", 10_000, 20_000);
    assertEquals("MB/s", bytes.unit());
    assertEquals(75, bytes.median());
    Measurement operations = Samples.of(StoragePath.RANDOM_READ, 0, "dir", 10_000);
    assertEquals(1e8, operations.median());
    Measurement clones = Samples.of(StoragePath.CLONES, 8, "dir", 1_000_000);
    assertEquals("clones/s", clones.unit());
    assertEquals(1e6, clones.median());
  }
}
