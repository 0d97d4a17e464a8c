package dev.stapes.storage.lvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

/** Any text in a tag. */
class TagTextTest {
  @Test
  void any_text_comes_back_and_is_one_tag() throws Exception {
    for (String text :
        List.of(
            "/var/lib/stapes", "", "a b,c", "#23", "\u00e9\u4e2d\ud83d\ude00", "x=1&y!", "+@%")) {
      String encoded = TagText.encode(text);
      assertTrue(encoded.matches("[a-zA-Z0-9_./#-]*"), encoded);
      assertEquals(text, TagText.decode(encoded));
    }
    assertEquals("/var/lib/stapes-1", TagText.encode("/var/lib/stapes-1"));
    assertEquals("a#20b#2c", TagText.encode("a b,"));
  }

  @Test
  void what_is_none_is_malformed() {
    for (String encoded : List.of("#", "#2", "#zz", "a b", "a=b", "a#00", "#-1")) {
      assertThrows(LvmReport.Malformed.class, () -> TagText.decode(encoded), encoded);
    }
  }
}
