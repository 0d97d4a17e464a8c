package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertSame;

import dev.stapes.model.StapesException.Kind;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** What is taken for a picture. */
class VmScreenTest {
  private static final byte[] PNG =
      "\u0089PNG\r\n\u001a\nrest".getBytes(StandardCharsets.ISO_8859_1);

  @Test
  void a_picture_begins_as_each_png() {
    assertSame(PNG, VmScreen.check("instance vm", PNG));
  }

  @Test
  void anything_else_is_refused() {
    for (int length = 0; length < 8; length++) {
      byte[] cut = Arrays.copyOf(PNG, length);
      Specs.refused(Kind.INTERNAL, length + " bytes", () -> VmScreen.check("instance vm", cut));
    }
    byte[] other = "P6 640 480 255 ".getBytes(StandardCharsets.ISO_8859_1);
    Specs.refused(Kind.INTERNAL, "no PNG", () -> VmScreen.check("instance vm", other));
  }

  @Test
  void what_is_too_long_is_refused_whatever_it_is() {
    byte[] all = Arrays.copyOf(PNG, VmScreen.MOST_BYTES + 1);
    Specs.refused(Kind.EXHAUSTED, "67108864 bytes", () -> VmScreen.check("instance vm", all));
  }
}
