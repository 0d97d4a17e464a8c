package dev.stapes.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SizeTest {
  @ParameterizedTest
  @CsvSource({
    "0,0",
    "4096,4096",
    "7B,7",
    "1kB,1000",
    "1KiB,1024",
    "512MiB,536870912",
    "1.5GiB,1610612736",
    "10GB,10000000000",
    "7EiB,8070450532247928832"
  })
  void a_text_with_a_unit_is_so_many_bytes(String text, long bytes) {
    assertEquals(bytes, Size.parse(text).bytes());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "MiB", "-1", "1 parsec", "1mib", "0x10", "1e3", "9EiB", "0.3B", "１MiB "})
  void what_is_no_size_is_refused_with_the_text_in_the_message(String text) {
    StapesException e = assertThrows(StapesException.class, () -> Size.parse(text));
    assertEquals(StapesException.Kind.INVALID, e.kind());
    assertTrue(String.valueOf(e.getMessage()).contains("\"" + text + "\""), e.getMessage());
  }

  @Test
  void too_many_gibibytes_are_refused() {
    assertThrows(StapesException.class, () -> Size.ofGibibytes(Long.MAX_VALUE));
    assertThrows(StapesException.class, () -> Size.ofBytes(-1));
  }

  @Property
  void the_text_of_a_size_reads_back_as_the_same_size(@ForAll @LongRange(min = 0) long bytes) {
    assertEquals(bytes, Size.parse(Size.ofBytes(bytes).toString()).bytes());
  }

  @Property
  void any_text_is_a_size_or_a_typed_error(@ForAll String text) {
    try {
      assertTrue(Size.parse(text).bytes() >= 0);
    } catch (StapesException e) {
      assertEquals(StapesException.Kind.INVALID, e.kind());
    }
  }
}
