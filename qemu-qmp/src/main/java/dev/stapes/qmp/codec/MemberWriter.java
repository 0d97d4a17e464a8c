package dev.stapes.qmp.codec;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stapes.qmp.QmpObject;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/** Writes the members of one object. */
public final class MemberWriter {
  private final ObjectNode json = JsonNodeFactory.instance.objectNode();
  private final Map<String, JsonNode> unknown;

  /**
   * Starts.
   *
   * @param unknown what is written as it is
   */
  public MemberWriter(Map<String, JsonNode> unknown) {
    this.unknown = unknown;
  }

  /** One that is there. */
  public <T> MemberWriter put(String name, T value, Codec<T> codec) {
    if (!unknown.containsKey(name)) {
      json.set(name, codec.encode(value));
    }
    return this;
  }

  /** One that may be there. */
  public <T> MemberWriter put(String name, Optional<T> value, Codec<T> codec) {
    value.ifPresent(present -> put(name, present, codec));
    return this;
  }

  /** A whole number that may be there. */
  public MemberWriter put(String name, OptionalLong value) {
    value.ifPresent(present -> put(name, present, Codec.INT));
    return this;
  }

  /** A number that may be there. */
  public MemberWriter put(String name, OptionalDouble value) {
    value.ifPresent(present -> put(name, present, Codec.NUMBER));
    return this;
  }

  /** The members of an object that lies in this one without a member of its own. */
  public MemberWriter inline(QmpObject object) {
    json.setAll(object.toJson());
    return this;
  }

  /** All of it. */
  public ObjectNode toJson() {
    unknown.forEach((name, value) -> json.set(name, value.deepCopy()));
    return json;
  }
}
