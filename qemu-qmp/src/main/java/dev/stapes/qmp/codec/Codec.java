package dev.stapes.qmp.codec;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.stapes.qmp.QmpEnum;
import dev.stapes.qmp.QmpProtocolException;
import dev.stapes.qmp.QmpValue;
import java.math.BigInteger;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Between JSON and one type of Java.
 *
 * @param <T> the type of Java
 */
public interface Codec<T> {
  /** Text. */
  Codec<String> TEXT =
      of(
          json -> {
            expect(json.isTextual(), "text", json);
            return json.textValue();
          },
          TextNode::new);

  /** True or false. */
  Codec<Boolean> BOOL =
      of(
          json -> {
            expect(json.isBoolean(), "true or false", json);
            return json.booleanValue();
          },
          BooleanNode::valueOf);

  /** A number that may have a fraction. */
  Codec<Double> NUMBER =
      of(
          json -> {
            expect(json.isNumber(), "a number", json);
            return json.doubleValue();
          },
          Codec::number);

  /** Whatever the protocol can say. */
  Codec<JsonNode> ANY = of(Function.identity(), JsonNode::deepCopy);

  /** A whole number: 64 bits, with or without a sign. */
  Codec<Long> INT = new IntCodec();

  /**
   * Reads.
   *
   * @throws QmpProtocolException where it is of another kind
   */
  T decode(JsonNode json);

  /** Writes. */
  JsonNode encode(T value);

  /** Whether writing the value that was read gives the same JSON again. */
  boolean holds(T value, JsonNode json);

  /** Of a type that holds all it reads. */
  static <T> Codec<T> of(Function<JsonNode, T> decode, Function<T, ? extends JsonNode> encode) {
    return new Whole<>(decode, encode);
  }

  /** Of a generated type. */
  static <T extends QmpValue> Codec<T> value(Function<JsonNode, T> decode) {
    return of(decode, QmpValue::toJson);
  }

  /** Of an enum. */
  static <T extends Enum<T> & QmpEnum> Codec<T> enumeration(Function<String, T> decode) {
    return new EnumCodec<>(decode);
  }

  /** Of a list. */
  static <T> Codec<List<T>> list(Codec<T> element) {
    return new ListCodec<>(element);
  }

  /** The branch of an alternate that JSON is of, or another where the branch would lose of it. */
  static <T, R> R held(
      JsonNode json,
      Codec<T> codec,
      Function<T, ? extends R> branch,
      Function<JsonNode, ? extends R> other) {
    T value = codec.decode(json);
    return codec.holds(value, json) ? branch.apply(value) : other.apply(json);
  }

  /** Null. */
  static JsonNode nothing() {
    return NullNode.getInstance();
  }

  /** The values of an enum by their texts. */
  static <T extends Enum<T> & QmpEnum> Map<String, T> byText(T[] values) {
    Map<String, T> byText = new HashMap<>();
    for (T value : values) {
      if (!value.text().isEmpty()) {
        byText.put(value.text(), value);
      }
    }
    return Map.copyOf(byText);
  }

  /** The text of the member that says which variant an object is; empty where there is none. */
  static String tag(JsonNode json, String name) {
    return json.path(name).asText("");
  }

  /** An unchangeable copy, in the same order. */
  static Map<String, JsonNode> copy(Map<String, JsonNode> members) {
    return members.isEmpty() ? Map.of() : Collections.unmodifiableMap(new LinkedHashMap<>(members));
  }

  /** Refuses what is of another kind. */
  static void expect(boolean expected, String what, JsonNode json) {
    if (!expected) {
      throw new QmpProtocolException("expected " + what + ", not " + Snippet.of(json));
    }
  }

  private static JsonNode number(double value) {
    long whole = (long) value;
    // QEMU writes 2.0 as 2.
    return whole == value && Math.abs(whole) < 1L << 53 ? whole(whole) : new DoubleNode(value);
  }

  /** As Jackson reads it, so that it is equal to what was read. */
  private static JsonNode whole(long value) {
    return (int) value == value ? new IntNode((int) value) : new LongNode(value);
  }

  /** {@link #of}. */
  record Whole<T>(Function<JsonNode, T> reader, Function<T, ? extends JsonNode> writer)
      implements Codec<T> {
    @Override
    public T decode(JsonNode json) {
      return reader.apply(json);
    }

    @Override
    public JsonNode encode(T value) {
      return writer.apply(value);
    }

    @Override
    public boolean holds(T value, JsonNode json) {
      return true;
    }
  }

  /** {@link #INT}. */
  record IntCodec() implements Codec<Long> {
    private static final BigInteger LIMIT = BigInteger.ONE.shiftLeft(Long.SIZE);

    @Override
    public Long decode(JsonNode json) {
      BigInteger value = json.isIntegralNumber() ? json.bigIntegerValue() : LIMIT;
      boolean unsigned = value.signum() >= 0 && value.compareTo(LIMIT) < 0;
      boolean fits = json.canConvertToLong() || unsigned;
      expect(json.isIntegralNumber() && fits, "a whole number of 64 bits", json);
      return value.longValue();
    }

    @Override
    public JsonNode encode(Long value) {
      return whole(value);
    }

    @Override
    public boolean holds(Long value, JsonNode json) {
      return json.canConvertToLong();
    }
  }

  /** {@link #enumeration}. */
  record EnumCodec<T extends Enum<T> & QmpEnum>(Function<String, T> reader) implements Codec<T> {
    @Override
    public T decode(JsonNode json) {
      return reader.apply(TEXT.decode(json));
    }

    @Override
    public JsonNode encode(T value) {
      if (value.text().isEmpty()) {
        throw new IllegalArgumentException(
            value.getDeclaringClass().getSimpleName() + "." + value.name() + " cannot be written");
      }
      return new TextNode(value.text());
    }

    @Override
    public boolean holds(T value, JsonNode json) {
      return !value.text().isEmpty();
    }
  }
}
