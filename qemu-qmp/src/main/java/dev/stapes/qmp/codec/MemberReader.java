package dev.stapes.qmp.codec;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stapes.qmp.QmpProtocolException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/** Reads the members of one object; what nobody asked for, or could not be held, is the rest. */
public final class MemberReader {
  private final String type;
  private final Map<String, JsonNode> rest = new LinkedHashMap<>();

  /**
   * Starts.
   *
   * @param type for messages
   * @throws QmpProtocolException where it is no object
   */
  public MemberReader(String type, JsonNode json) {
    this.type = type;
    if (!json.isObject()) {
      throw new QmpProtocolException(type + ": expected an object, not " + Snippet.of(json));
    }
    json.properties().forEach(member -> rest.put(member.getKey(), member.getValue()));
  }

  /** One that must be there. */
  public <T> T required(String name, Codec<T> codec) {
    return optional(name, codec)
        .orElseThrow(() -> new QmpProtocolException(type + " has no " + name));
  }

  /** One that may be there. */
  public <T> Optional<T> optional(String name, Codec<T> codec) {
    JsonNode json = rest.get(name);
    if (json == null) {
      return Optional.empty();
    }
    T value;
    try {
      value = codec.decode(json);
    } catch (QmpProtocolException e) {
      throw new QmpProtocolException(type + "." + name + ": " + e.getMessage(), e);
    }
    if (codec.holds(value, json)) {
      rest.remove(name);
    }
    return Optional.of(value);
  }

  /** A whole number that may be there. */
  public OptionalLong optionalInt(String name) {
    return optional(name, Codec.INT).map(OptionalLong::of).orElseGet(OptionalLong::empty);
  }

  /** A number that may be there. */
  public OptionalDouble optionalNumber(String name) {
    return optional(name, Codec.NUMBER).map(OptionalDouble::of).orElseGet(OptionalDouble::empty);
  }

  /** Reads what says which variant it is, for the one that it says. */
  public void tag(String name) {
    rest.remove(name);
  }

  /** All that is left, for a type that lies in this one without a member of its own. */
  public ObjectNode inlined() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.setAll(rest);
    rest.clear();
    return json;
  }

  /** All that is left, in its order. */
  public Map<String, JsonNode> rest() {
    return Collections.unmodifiableMap(rest);
  }
}
