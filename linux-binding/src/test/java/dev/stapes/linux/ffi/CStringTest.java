package dev.stapes.linux.ffi;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.charset.StandardCharsets;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class CStringTest {
  @Property
  void every_name_of_bytes_survives_a_round_trip(@ForAll @Size(max = 40) byte[] bytes) {
    assertArrayEquals(bytes, CString.encode(CString.decode(bytes, 0, bytes.length)));
  }

  @Property
  void valid_utf8_is_decoded_as_java_does(@ForAll String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    assertEquals(new String(bytes, StandardCharsets.UTF_8), CString.decode(bytes, 0, bytes.length));
  }

  @Test
  void a_nul_inside_is_refused() {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> CString.of("a\0b"));
    assertEquals("a NUL at byte 1 of \"a\\0b\"", e.getMessage());
  }

  @Test
  void the_end_is_marked_with_a_nul() {
    assertArrayEquals(new byte[] {'a', 0}, CString.of("a"));
  }
}
