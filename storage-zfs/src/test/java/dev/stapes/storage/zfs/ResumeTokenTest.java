package dev.stapes.storage.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.storage.zfs.ResumeToken.Position;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class ResumeTokenTest {
  private static final Map<String, Long> NUMBERS =
      Map.of("toguid", -5L, "fromguid", 7L, "object", 3L, "offset", 1L << 40, "bytes", 9L);

  @Test
  void a_token_says_whose_rest_it_is_and_where_it_begins() {
    String text = FakePairs.token(NUMBERS);
    assertEquals(
        Optional.of(new ResumeToken(text, -5, 7, new Position(3, 1L << 40), 9)),
        ResumeToken.parse(text));
  }

  @Test
  void a_whole_stream_has_no_base() {
    String text = FakePairs.token(Map.of("toguid", 5L, "object", 3L, "offset", 0L, "bytes", 9L));
    assertEquals(0, ResumeToken.parse(text).orElseThrow().base());
  }

  @Test
  void what_lacks_a_number_is_none() {
    for (String name : new String[] {"toguid", "object", "offset", "bytes"}) {
      Map<String, Long> fewer = new HashMap<>(NUMBERS);
      fewer.remove(name);
      assertEquals(Optional.empty(), ResumeToken.parse(FakePairs.token(fewer)), name);
    }
  }

  @Test
  void what_is_longer_than_any_is_none() {
    String text = FakePairs.token(NUMBERS);
    assertEquals(Optional.empty(), ResumeToken.parse(text + "0".repeat(100_000)));
    assertEquals(Optional.empty(), ResumeToken.parse(text + "0"));
    assertEquals(Optional.empty(), ResumeToken.parse("2" + text.substring(1)));
    assertEquals(Optional.empty(), ResumeToken.parse(text + " "));
  }

  @Property
  void any_text_is_a_token_or_none(@ForAll String text) {
    assertTrue(ResumeToken.parse(text).isEmpty());
    assertTrue(ResumeToken.parse("1-a-b-" + text).isEmpty());
  }

  @Property
  void any_bytes_are_numbers_or_none(@ForAll byte[] bytes, @ForAll boolean begins) {
    if (begins && bytes.length > 1) {
      bytes[0] = 0;
      bytes[1] = 1;
    }
    assertTrue(PackedPairs.numbers(bytes).map(Map::size).orElse(0) < bytes.length + 1);
  }

  @Property
  void a_list_that_was_changed_is_another_one_or_none(
      @ForAll int at, @ForAll byte value, @ForAll int length) {
    byte[] packed = FakePairs.pack(NUMBERS);
    packed[Math.floorMod(at, packed.length)] = value;
    byte[] cut = Arrays.copyOf(packed, Math.floorMod(length, packed.length + 1));
    assertTrue(PackedPairs.numbers(packed).map(Map::size).orElse(0) <= NUMBERS.size());
    assertTrue(PackedPairs.numbers(cut).map(Map::size).orElse(0) <= NUMBERS.size());
  }
}
