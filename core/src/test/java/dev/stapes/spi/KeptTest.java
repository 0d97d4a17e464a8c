package dev.stapes.spi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.StoragePool.Kept;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class KeptTest {
  private static final VolumeId ID = new VolumeId(VolumeId.Kind.SNAPSHOT, "a");

  @Test
  void a_token_is_visible_and_no_longer_than_it_may_be() {
    String longest = "~".repeat(Kept.MOST_CHARACTERS);
    assertEquals(longest, new Kept(ID, longest, Size.ofBytes(0)).token());
    for (String wrong : new String[] {"", " ", "a b", "a\n", "\u00e4", "\u007f", longest + "~"}) {
      assertFalse(Kept.isToken(wrong));
      StapesException error =
          assertThrows(StapesException.class, () -> new Kept(ID, wrong, Size.ofBytes(0)));
      assertEquals(Kind.INVALID, error.kind());
      assertTrue(error.toString().matches("[ -~]{1,300}"), error::toString);
    }
  }

  @Test
  void its_size_is_not_negative() {
    assertThrows(StapesException.class, () -> new Kept(ID, "x", Size.ofBytes(-1)));
  }

  @Property
  void any_text_is_a_token_or_refused(@ForAll String text) {
    if (Kept.isToken(text)) {
      assertEquals(text, new Kept(ID, text, Size.ofBytes(1)).token());
    } else {
      assertThrows(StapesException.class, () -> new Kept(ID, text, Size.ofBytes(1)));
    }
  }
}
