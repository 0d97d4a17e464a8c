package dev.stapes.storage.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.storage.zfs.ResumeToken.Position;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.From;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;

class ResumeTokenTest {
  private static final Map<String, Long> NUMBERS =
      Map.of("toguid", -5L, "fromguid", 7L, "object", 3L, "offset", 1L << 40, "bytes", 9L);

  @Test
  void a_token_says_whose_rest_it_is_and_where_it_begins() {
    String text = FakePairs.token(NUMBERS);
    assertEquals(
        Optional.of(new ResumeToken(text, -5, 7, new Position(3, 1L << 40), 9, Set.of())),
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

  /** Nothing of another machine's text is left, but for the form that the records have. */
  @Test
  void a_token_for_this_machine_says_the_same_of_a_snapshot_that_is_here() {
    Place here = new Place(new DatasetName("tank/here"), "snapshots:a");
    Set<String> flags = Set.of("largeblockok", "compressok", "embedok");
    Set<String> more = Set.of("largeblockok", "compressok", "embedok", "newer");
    String theirs = FakePairs.token(NUMBERS, "tank/theirs@secret", more);
    String ours = ResumeToken.parse(theirs).orElseThrow().of(here);
    assertEquals(
        FakePairs.token(new TreeMap<>(NUMBERS), here.toString(), new TreeSet<>(flags)), ours);
    assertEquals(
        Optional.of(new ResumeToken(ours, -5, 7, new Position(3, 1L << 40), 9, flags)),
        ResumeToken.parse(ours));
    assertEquals(here.toString(), FakePairs.name(ours));
  }

  @Test
  void streams_that_are_not_sent_as_they_are_read_have_no_token() {
    for (String flag : List.of("rawok", "savedok", "redact_snaps", "book_redact_snaps")) {
      String token = FakePairs.token(NUMBERS, "tank/a@b", Set.of(flag));
      assertEquals(Optional.empty(), ResumeToken.parse(token), flag);
    }
  }

  /** ZFS would take one of them, and we the other. */
  @Test
  void a_number_that_is_there_twice_makes_no_token() {
    byte[] packed = FakePairs.pack(NUMBERS);
    byte[] two = FakePairs.pack(Map.of("toguid", 6L));
    byte[] both = Arrays.copyOf(packed, packed.length + two.length - 16);
    System.arraycopy(two, 12, both, packed.length - 4, two.length - 12);
    assertTrue(PackedPairs.parse(packed).isPresent());
    assertEquals(Optional.empty(), ResumeToken.parse(ResumeToken.write(both)));
  }

  @Test
  void what_was_changed_or_cut_on_its_way_is_none() {
    String text = FakePairs.token(NUMBERS);
    for (int at = 0; at < text.length(); at++) {
      String cut = text.substring(0, at);
      String changed = cut + (text.charAt(at) == '7' ? '8' : '7') + text.substring(at + 1);
      assertEquals(Optional.empty(), ResumeToken.parse(cut), cut);
      assertEquals(Optional.empty(), ResumeToken.parse(changed), changed);
    }
    String sum = text.substring(0, text.indexOf('-', 2));
    assertEquals(Optional.empty(), ResumeToken.parse("1-0" + text.substring(sum.length())));
  }

  @Test
  void a_list_of_many_megabytes_in_few_characters_is_none() {
    assertEquals(Optional.empty(), ResumeToken.parse(ResumeToken.write(new byte[2 << 20])));
  }

  @Property
  void any_numbers_are_read_as_they_were_written(
      @ForAll long guid,
      @ForAll long base,
      @ForAll long object,
      @ForAll long offset,
      @ForAll @LongRange(min = 0) long bytes,
      @ForAll Set<@From("forms") String> forms) {
    Position position = new Position(object, offset);
    ResumeToken token = new ResumeToken("-", guid, base, position, bytes, forms);
    String text = token.of(new Place(new DatasetName("tank/a"), "b"));
    assertEquals(
        Optional.of(new ResumeToken(text, guid, base, position, bytes, forms)),
        ResumeToken.parse(text));
  }

  @Provide
  Arbitrary<String> forms() {
    return Arbitraries.of(ResumeToken.FORMS);
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
    int size = PackedPairs.parse(bytes).map(pairs -> pairs.names().size()).orElse(0);
    assertTrue(size <= bytes.length);
  }

  @Property
  void a_list_that_was_changed_is_another_one_or_none(
      @ForAll int at, @ForAll byte value, @ForAll int length) {
    byte[] packed = FakePairs.pack(NUMBERS);
    packed[Math.floorMod(at, packed.length)] = value;
    byte[] cut = Arrays.copyOf(packed, Math.floorMod(length, packed.length + 1));
    for (byte[] each : List.of(packed, cut)) {
      int size = PackedPairs.parse(each).map(pairs -> pairs.numbers().size()).orElse(0);
      assertTrue(size <= NUMBERS.size());
    }
  }
}
