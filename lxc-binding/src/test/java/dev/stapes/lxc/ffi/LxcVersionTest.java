package dev.stapes.lxc.ffi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LxcVersionTest {
  @ParameterizedTest
  @CsvSource({"5.0.2,5.0.2", "6.0.0-devel,6.0.0", "7.0,7.0.0", "5.0.2~git1-2,5.0.2"})
  void versions_are_read(String text, String expected) {
    assertEquals(expected, LxcVersion.parse(text).toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "5", "five", "5.0.2 ", "5.0.99999999999", "-1.0.0"})
  void what_is_no_version_is_quoted_in_the_error(String text) {
    IllegalArgumentException thrown =
        assertThrows(IllegalArgumentException.class, () -> LxcVersion.parse(text));
    assertEquals("not a version of liblxc: \"" + text + "\"", thrown.getMessage());
  }

  @Test
  void micro_versions_count() {
    assertTrue(LxcVersion.parse("4.0.12").isAtLeast(LxcVersion.OLDEST));
    assertTrue(LxcVersion.parse("6.0.4").isAtLeast(LxcVersion.OLDEST));
    assertFalse(LxcVersion.parse("4.0.9").isAtLeast(LxcVersion.OLDEST));
    assertFalse(LxcVersion.parse("3.1.0").isAtLeast(LxcVersion.OLDEST));
  }
}
