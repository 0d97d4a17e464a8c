package dev.stapes.qapi;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * Gives the types of a schema, which QEMU numbers, their names. A place where a type is used has a
 * name that stays the same over the versions of QEMU, and a file says the type's name for one place
 * of each type.
 *
 * <p>Places: {@code command.member} and {@code EVENT.member}, {@code command()} for what it
 * returns, {@code command} for arguments that are a union, {@code Type.member}, {@code Type=case}
 * for a case that is a union, {@code Type=case.member}, {@code Type|object} and {@code Type|enum}
 * for those of an alternate. A list is as what it is a list of.
 */
final class TypeNames {
  private static final Pattern NAME = Pattern.compile("[A-Z][A-Za-z0-9]*");

  private final Introspection schema;
  private final Lines lines;
  private final Map<String, List<String>> places = new LinkedHashMap<>();
  private final Map<String, String> names = new LinkedHashMap<>();
  private final Deque<String> todo = new ArrayDeque<>();
  private final Set<String> walked = new HashSet<>();

  private TypeNames(Introspection schema, Lines lines) {
    this.schema = schema;
    this.lines = lines;
  }

  static TypeNames of(Introspection schema, Lines lines) {
    TypeNames names = new TypeNames(schema, lines);
    names.walk();
    names.refuseNameless();
    names.refuseTwice();
    return names;
  }

  /** The name of a type that has one. */
  Optional<String> name(String type) {
    return Optional.ofNullable(names.get(type));
  }

  /** The places that a type is used at. */
  List<String> places(String type) {
    return places.getOrDefault(type, List.of());
  }

  /** The types with names. */
  Set<String> types() {
    return names.keySet();
  }

  private void walk() {
    for (String kind : List.of("command", "event")) {
      for (ObjectNode entry : schema.all(kind)) {
        String name = Introspection.name(entry);
        part(name, entry.path("arg-type").asText());
        if (entry.has("ret-type") && !isNothing(entry.path("ret-type").asText())) {
          use(name + "()", entry.path("ret-type").asText());
        }
      }
    }
    while (!todo.isEmpty()) {
      String type = todo.pop();
      walkInto(names.getOrDefault(type, ""), schema.get(type));
    }
  }

  /** Arguments, data and cases need no name of their own unless they are unions. */
  private void part(String place, String type) {
    if (schema.get(type).has("variants")) {
      use(place, type);
    } else {
      walkInto(place, schema.get(type));
    }
  }

  private void walkInto(String owner, ObjectNode entry) {
    if (entry.path("meta-type").asText().equals("alternate")) {
      for (JsonNode branch : entry.path("members")) {
        String type = Introspection.type(branch);
        use(owner + "|" + schema.kind(schema.withoutLists(type)), type);
      }
    } else if (entry.path("meta-type").asText().equals("object")) {
      for (JsonNode member : entry.path("members")) {
        use(owner + "." + Introspection.name(member), Introspection.type(member));
      }
      for (JsonNode each : entry.path("variants")) {
        part(owner + "=" + each.path("case").asText(), Introspection.type(each));
      }
    }
  }

  private void use(String place, String listOrType) {
    String type = schema.withoutLists(listOrType);
    if (schema.kind(type).equals("builtin")) {
      return;
    }
    places.computeIfAbsent(type, key -> new ArrayList<>()).add(place);
    Optional<String> name = lines.get(place);
    if (name.isEmpty() && NAME.matcher(type).matches()) {
      name = Optional.of(type);
    }
    name.ifPresent(found -> give(type, place, found));
  }

  private void give(String type, String place, String name) {
    if (!NAME.matcher(name).matches()) {
      throw new SchemaException(place + ": " + name + " is no name of a type");
    }
    String before = names.putIfAbsent(type, name);
    if (before != null && !before.equals(name)) {
      throw new SchemaException(
          place + ": the type is named " + before + " and " + name + ", used at " + places(type));
    }
    if (walked.add(type)) {
      todo.add(type);
    }
  }

  private boolean isNothing(String type) {
    ObjectNode entry = schema.get(type);
    return entry.path("meta-type").asText().equals("object")
        && entry.path("members").isEmpty()
        && !entry.has("variants");
  }

  private void refuseNameless() {
    List<String> nameless = new ArrayList<>();
    places.forEach(
        (type, uses) -> {
          if (!names.containsKey(type)) {
            nameless.add(schema.kind(type) + " " + uses);
          }
        });
    if (!nameless.isEmpty()) {
      throw new SchemaException(
          "types without a name; add a line '<place> <Name>' for one place of each: "
              + String.join("; ", nameless));
    }
  }

  private void refuseTwice() {
    Map<String, String> types = new TreeMap<>();
    names.forEach(
        (type, name) -> {
          String other = types.put(name, type);
          if (other != null) {
            throw new SchemaException(
                "two types are named " + name + ": " + places(other) + " and " + places(type));
          }
        });
  }
}
