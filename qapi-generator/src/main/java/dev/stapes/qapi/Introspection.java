package dev.stapes.qapi;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The entries of what {@code query-qmp-schema} returns, by their names. */
final class Introspection {
  private final Map<String, ObjectNode> entries = new LinkedHashMap<>();

  static Introspection read(Path file) throws IOException {
    return of(new ObjectMapper().readTree(file.toFile()));
  }

  static Introspection of(JsonNode schema) {
    Introspection introspection = new Introspection();
    for (JsonNode entry : schema) {
      introspection.add(entry.deepCopy());
    }
    return introspection;
  }

  void add(ObjectNode entry) {
    String name = entry.path("name").asText();
    if (entries.putIfAbsent(name, entry) != null) {
      throw new SchemaException("two entries of the name " + name);
    }
  }

  boolean has(String name) {
    return entries.containsKey(name);
  }

  ObjectNode get(String name) {
    ObjectNode entry = entries.get(name);
    if (entry == null) {
      throw new SchemaException("no entry of the name " + name);
    }
    return entry;
  }

  String kind(String name) {
    return get(name).path("meta-type").asText();
  }

  /** Commands, or events, in the order of their names. */
  List<ObjectNode> all(String kind) {
    List<ObjectNode> found = new ArrayList<>();
    for (ObjectNode entry : entries.values()) {
      if (entry.path("meta-type").asText().equals(kind)) {
        found.add(entry);
      }
    }
    found.sort((one, other) -> name(one).compareTo(name(other)));
    return found;
  }

  /** What a list is a list of, however deep; any other type is itself. */
  String withoutLists(String type) {
    String element = type;
    while (kind(element).equals("array")) {
      element = get(element).path("element-type").asText();
    }
    return element;
  }

  static String name(JsonNode entry) {
    return entry.path("name").asText();
  }

  static String type(JsonNode entry) {
    return entry.path("type").asText();
  }
}
