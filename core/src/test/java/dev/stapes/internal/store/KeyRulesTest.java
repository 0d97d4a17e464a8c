package dev.stapes.internal.store;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException;
import dev.stapes.spi.StateStore;
import java.util.Arrays;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class KeyRulesTest {
  /** Of code points around all borders of UTF-8's lengths and of the surrogates. */
  @Provide
  Arbitrary<String> texts() {
    return Arbitraries.of(
            0x20, 0x2f, 0x7e, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xfffd, 0xffff, 0x10000, 0x1f600,
            0x10fffe)
        .list()
        .ofMinSize(1)
        .ofMaxSize(5)
        .map(
            points -> {
              StringBuilder text = new StringBuilder();
              points.forEach(text::appendCodePoint);
              return text.toString();
            });
  }

  @Property
  void keys_are_ordered_as_their_bytes(@ForAll("texts") String one, @ForAll("texts") String two) {
    int bytes = Arrays.compareUnsigned(one.getBytes(UTF_8), two.getBytes(UTF_8));
    assertEquals(Integer.signum(bytes), Integer.signum(KeyRules.ORDER.compare(one, two)));
  }

  @Property
  void every_key_with_a_prefix_is_before_the_end_of_the_prefix_and_no_other_is_between(
      @ForAll("texts") String prefix, @ForAll("texts") String key) {
    String end = StateStore.end(prefix);
    assertTrue(KeyRules.ORDER.compare(prefix + key, end) < 0);
    boolean between =
        KeyRules.ORDER.compare(prefix, key) <= 0 && KeyRules.ORDER.compare(key, end) < 0;
    assertEquals(key.startsWith(prefix), between);
  }

  @Property
  void a_key_that_utf8_can_say_is_a_key(@ForAll("texts") String key) {
    assertEquals(key, KeyRules.key(key));
    assertEquals(key, new String(key.getBytes(UTF_8), UTF_8));
  }

  @Test
  void a_long_key_is_not_repeated_in_full() {
    StapesException error =
        assertThrows(StapesException.class, () -> KeyRules.key("k".repeat(100_000)));
    assertTrue(error.toString().length() < 300, error::toString);
    assertTrue(error.toString().contains("100000"));
  }
}
