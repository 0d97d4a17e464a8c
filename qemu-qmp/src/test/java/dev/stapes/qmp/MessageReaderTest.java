package dev.stapes.qmp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;

class MessageReaderTest {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final QmpOptions SMALL =
      QmpOptions.defaults().largestMessage(1000).deepestMessage(10).mostValues(50);

  /** Feeds in pieces of random lengths. */
  private static List<JsonNode> read(MessageReader reader, byte[] bytes, Random random, int most) {
    List<JsonNode> messages = new ArrayList<>();
    for (int from = 0; from < bytes.length; ) {
      int to = Math.min(bytes.length, from + 1 + random.nextInt(most));
      byte[] shared = new byte[to - from + 7];
      System.arraycopy(bytes, from, shared, 7, to - from);
      reader.feed(shared, 7, shared.length, messages::add);
      from = to;
    }
    return messages;
  }

  private static List<JsonNode> read(QmpOptions options, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return read(new MessageReader(options), bytes, new Random(1), bytes.length);
  }

  private static String refused(String text) {
    QmpProtocolException e =
        assertThrows(QmpProtocolException.class, () -> read(SMALL, text), text);
    return String.valueOf(e.getMessage());
  }

  @Property(tries = 300)
  void messages_come_out_as_they_went_in_however_they_are_cut(
      @ForAll("messages") List<JsonNode> messages,
      @ForAll @IntRange(min = 1, max = 300) int most,
      @ForAll("separators") String separator,
      @ForAll boolean pretty,
      @ForAll Random random)
      throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (JsonNode message : messages) {
      out.writeBytes(
          (pretty ? MAPPER.writerWithDefaultPrettyPrinter() : MAPPER.writer())
              .writeValueAsBytes(message));
      out.writeBytes(separator.getBytes(StandardCharsets.UTF_8));
    }
    MessageReader reader = new MessageReader(QmpOptions.defaults());
    List<JsonNode> read = read(reader, out.toByteArray(), random, most);
    assertEquals(MAPPER.writeValueAsString(messages), MAPPER.writeValueAsString(read));
    assertFalse(reader.isWithinMessage());
  }

  @Provide
  Arbitrary<String> separators() {
    return Arbitraries.of("", "\n", "\r\n", " \r\n\r\n\t", "\n\n\n");
  }

  @Provide
  Arbitrary<List<JsonNode>> messages() {
    Arbitrary<JsonNode> scalar =
        Arbitraries.oneOf(
            Arbitraries.strings().ofMaxLength(40).map(MAPPER.getNodeFactory()::textNode),
            Arbitraries.longs().map(MAPPER.getNodeFactory()::numberNode),
            Arbitraries.bigIntegers().map(MAPPER.getNodeFactory()::numberNode),
            Arbitraries.doubles().map(MAPPER.getNodeFactory()::numberNode),
            Arbitraries.of(true, false).map(MAPPER.getNodeFactory()::booleanNode),
            Arbitraries.just(MAPPER.getNodeFactory().nullNode()));
    Arbitrary<JsonNode> value =
        Arbitraries.recursive(
            () -> scalar,
            inner ->
                Arbitraries.oneOf(
                    inner.list().ofMaxSize(4).map(MAPPER::<JsonNode>valueToTree), object(inner)),
            0,
            3);
    return object(value).list().ofMaxSize(6);
  }

  private static Arbitrary<JsonNode> object(Arbitrary<JsonNode> value) {
    return Arbitraries.maps(Arbitraries.strings().ofMaxLength(12), value)
        .ofMaxSize(5)
        .map(MAPPER::<JsonNode>valueToTree);
  }

  @Property(tries = 1000)
  void garbage_is_refused_or_read_and_nothing_else(
      @ForAll byte[] garbage,
      @ForAll @IntRange(min = 1, max = 50) int most,
      @ForAll Random random) {
    try {
      read(new MessageReader(SMALL), garbage, random, most);
    } catch (QmpProtocolException e) {
      assertTrue(String.valueOf(e.getMessage()).length() < 200, e.getMessage());
    }
  }

  @Property(tries = 1000)
  void a_message_with_bytes_changed_is_refused_or_read_and_nothing_else(
      @ForAll @IntRange(max = 200) int at, @ForAll byte wrong, @ForAll Random random) {
    byte[] bytes = FakePeer.GREETING.getBytes(StandardCharsets.UTF_8);
    bytes[at % bytes.length] = wrong;
    try {
      assertTrue(read(new MessageReader(SMALL), bytes, random, 20).size() <= 1);
    } catch (QmpProtocolException e) {
      assertTrue(String.valueOf(e.getMessage()).length() < 200, e.getMessage());
    }
  }

  @Example
  void every_limit_is_named() {
    assertTrue(refused("{\"a\":\"" + "x".repeat(2000)).contains("1000 bytes"));
    assertTrue(refused("{\"a\":\"" + "x".repeat(995) + "\"}").contains("1000 bytes"));
    assertEquals(1, read(SMALL, "{\"a\":\"" + "x".repeat(992) + "\"}").size());
    assertTrue(refused("{\"a\":" + "[".repeat(20)).contains("10 levels"));
    assertTrue(refused("{\"a\":[" + "1,".repeat(60)).contains("50 values"));
    assertEquals(100, read(SMALL, "{\"a\":[1]}".repeat(100)).size());
    assertEquals(0, read(SMALL, "\r\n".repeat(10_000)).size());
  }

  @Example
  void what_is_no_object_is_refused() {
    for (String wrong :
        List.of(
            "[]",
            "1 ",
            "\"x\"",
            "true ",
            "null ",
            "x",
            "{\"a\":1]",
            "{'a':1}",
            "\0",
            "{\"a\"\0:1}",
            "{\"a\":01}",
            "{\"a\":NaN}",
            "{\"a\":\"\n\"}",
            "{}}",
            "\u00a0{}",
            "// x\n{}",
            "{,}")) {
      refused(wrong);
    }
  }

  @Example
  void invalid_utf_8_is_refused() {
    for (int first : new int[] {0x80, 0xC0, 0xED, 0xF8, 0xFE, 0xFF}) {
      byte[] bytes = "{\"a\":\"??\"}".getBytes(StandardCharsets.UTF_8);
      bytes[6] = (byte) first;
      bytes[7] = (byte) (first == 0xED ? 0x41 : 0xFF);
      assertThrows(
          QmpProtocolException.class,
          () -> read(new MessageReader(SMALL), bytes, new Random(1), 100),
          "0x" + Integer.toHexString(first));
    }
  }

  @Example
  void a_scalar_that_is_cut_by_a_read_is_no_less_garbage() {
    MessageReader reader = new MessageReader(SMALL);
    reader.feed(new byte[] {'t', 'r'}, 0, 2, message -> {});
    assertThrows(
        QmpProtocolException.class,
        () -> reader.feed(new byte[] {'u', 'e', '\n'}, 0, 3, message -> {}));
  }

  @Example
  void numbers_of_64_bits_without_a_sign_survive() {
    JsonNode read = read(SMALL, "{\"n\": 18446744073709551615}").get(0);
    assertEquals("18446744073709551615", read.path("n").bigIntegerValue().toString());
  }

  @Example
  void what_was_said_is_not_in_the_error() {
    assertFalse(refused("{\"password\": hunter2}").contains("hunter2"));
  }

  @Example
  void after_a_reset_it_begins_anew() {
    MessageReader reader = new MessageReader(SMALL);
    byte[] half = "{\"a\":[1".getBytes(StandardCharsets.UTF_8);
    reader.feed(half, 0, half.length, message -> {});
    assertTrue(reader.isWithinMessage());
    reader.reset();
    assertFalse(reader.isWithinMessage());
    assertEquals(1, read(reader, "{}\n".getBytes(StandardCharsets.UTF_8), new Random(1), 2).size());
  }

  @Example
  void a_message_of_many_mebibytes_is_read() {
    String text = "{\"return\":\"" + "abcdefgh".repeat(4 << 20) + "\"}\n";
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    MessageReader reader = new MessageReader(QmpOptions.defaults());
    List<JsonNode> messages = read(reader, bytes, new Random(1), 1 << 16);
    assertEquals(32 << 20, messages.get(0).path("return").textValue().length());
  }
}
