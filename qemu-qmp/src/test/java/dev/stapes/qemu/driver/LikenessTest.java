package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.util.List;
import org.junit.jupiter.api.Test;

class LikenessTest {
  private static final Likeness MACHINE = new Likeness("7.2.0", List.of("-m", "size=384M"), 4096);

  @Test
  void it_is_the_same_when_it_was_written_and_read() {
    assertEquals(MACHINE, Likeness.read("instance web", MACHINE.write()));
    MACHINE.requireSame("instance web", Likeness.read("instance web", MACHINE.write()));
  }

  @Test
  void what_is_no_description_is_refused() {
    for (String text : List.of("", "{", "[]", "{\"qemu\":1}", "{\"qemu\":\"7.2\"}")) {
      StapesException e =
          assertThrows(StapesException.class, () -> Likeness.read("instance web", text));
      assertEquals(Kind.INVALID, e.kind(), text);
    }
  }

  @Test
  void what_differs_is_told() {
    differs(new Likeness("10.0.2", MACHINE.arguments(), 4096), "QEMU 10.0.2");
    differs(new Likeness("7.2.0", MACHINE.arguments(), 8192), "8192 bytes");
    differs(new Likeness("7.2.0", List.of("-m", "size=512M"), 4096), "size=512M");
    differs(new Likeness("7.2.0", List.of("-m"), 4096), "nothing");
    differs(new Likeness("7.2.0", List.of("-m", "size=384M", "-S"), 4096), "-S");
  }

  private static void differs(Likeness other, String words) {
    StapesException e =
        assertThrows(StapesException.class, () -> MACHINE.requireSame("instance web", other));
    assertEquals(Kind.CONFLICT, e.kind());
    assertTrue(e.toString().contains(words), e::toString);
  }
}
