package dev.stapes.qmp.codec;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.ArrayList;
import java.util.List;

/** {@link Codec#list}. */
record ListCodec<T>(Codec<T> element) implements Codec<List<T>> {
  @Override
  public List<T> decode(JsonNode json) {
    Codec.expect(json.isArray(), "a list", json);
    List<T> values = new ArrayList<>(json.size());
    json.forEach(each -> values.add(element.decode(each)));
    return List.copyOf(values);
  }

  @Override
  public JsonNode encode(List<T> values) {
    ArrayNode json = JsonNodeFactory.instance.arrayNode(values.size());
    values.forEach(value -> json.add(element.encode(value)));
    return json;
  }

  @Override
  public boolean holds(List<T> values, JsonNode json) {
    for (int i = 0; i < values.size(); i++) {
      if (!element.holds(values.get(i), json.get(i))) {
        return false;
      }
    }
    return true;
  }
}
