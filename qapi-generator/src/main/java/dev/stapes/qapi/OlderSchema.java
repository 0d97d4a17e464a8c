package dev.stapes.qapi;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Adds to a schema what an older one says otherwise, so that the Java speaks with both: a member
 * that the older one does not have becomes optional, and members, cases, values, commands and
 * events that only the older one has are added. Where both have a member of different kinds, the
 * newer one's holds.
 */
final class OlderSchema {
  private final Introspection newer;
  private final Introspection older;
  private final Map<String, String> newNames = new HashMap<>();
  private final Set<String> paired = new HashSet<>();
  private final List<Runnable> additions = new ArrayList<>();

  private OlderSchema(Introspection newer, Introspection older) {
    this.newer = newer;
    this.older = older;
  }

  /** Changes the newer one. */
  static void add(Introspection newer, Introspection older) {
    OlderSchema merge = new OlderSchema(newer, older);
    merge.pairAll("command");
    merge.pairAll("event");
    // Only now is it known which types of the older one the newer one has too.
    merge.additions.forEach(Runnable::run);
  }

  private void pairAll(String kind) {
    for (ObjectNode entry : older.all(kind)) {
      String name = Introspection.name(entry);
      if (newer.has(name)) {
        pair(entry.path("arg-type").asText(), newer.get(name).path("arg-type").asText());
        if (entry.has("ret-type")) {
          pair(entry.path("ret-type").asText(), newer.get(name).path("ret-type").asText());
        }
      } else {
        additions.add(() -> addWithTypes(entry));
      }
    }
  }

  private void addWithTypes(ObjectNode entry) {
    ObjectNode copy = entry.deepCopy();
    for (String member : List.of("arg-type", "ret-type")) {
      if (copy.has(member)) {
        copy.put(member, brought(copy.path(member).asText()));
      }
    }
    newer.add(copy);
  }

  private void pair(String oldList, String newList) {
    String oldName = older.withoutLists(oldList);
    String newName = newer.withoutLists(newList);
    String kind = newer.kind(newName);
    if (!older.kind(oldName).equals(kind) || !paired.add(oldName + " " + newName)) {
      return;
    }
    newNames.putIfAbsent(oldName, newName);
    if (kind.equals("enum")) {
      pairValues(older.get(oldName), newer.get(newName));
    } else if (kind.equals("object")) {
      pairMembers(older.get(oldName), newer.get(newName));
      pairCases(older.get(oldName), newer.get(newName));
    }
  }

  private void pairValues(ObjectNode oldEnum, ObjectNode newEnum) {
    Set<String> known = new HashSet<>();
    newEnum.path("values").forEach(value -> known.add(value.asText()));
    oldEnum
        .path("values")
        .forEach(
            value -> {
              if (known.add(value.asText())) {
                newEnum.withArray("values").add(value);
              }
            });
  }

  private void pairMembers(ObjectNode oldObject, ObjectNode newObject) {
    String tag = newObject.path("tag").asText();
    for (JsonNode member : newObject.path("members")) {
      String name = Introspection.name(member);
      Optional<JsonNode> same = find(oldObject.path("members"), "name", name);
      if (!name.equals(tag) && same.map(old -> old.has("default")).orElse(true)) {
        ((ObjectNode) member).putNull("default");
      }
      same.ifPresent(old -> pair(Introspection.type(old), Introspection.type(member)));
    }
    if (newObject.has("variants") && !oldObject.has("variants")) {
      // Its members are among those of the cases now.
      return;
    }
    for (JsonNode old : oldObject.path("members")) {
      if (find(newObject.path("members"), "name", Introspection.name(old)).isEmpty()) {
        additions.add(
            () -> {
              ObjectNode copy = old.deepCopy();
              copy.put("type", brought(Introspection.type(old))).putNull("default");
              newObject.withArray("members").add(copy);
            });
      }
    }
  }

  private void pairCases(ObjectNode oldUnion, ObjectNode newUnion) {
    if (!newUnion.has("variants")) {
      return;
    }
    ArrayNode cases = newUnion.withArray("variants");
    for (JsonNode old : oldUnion.path("variants")) {
      find(cases, "case", old.path("case").asText())
          .ifPresentOrElse(
              same -> pair(Introspection.type(old), Introspection.type(same)),
              () ->
                  additions.add(
                      () -> {
                        ObjectNode copy = old.deepCopy();
                        cases.add(copy.put("type", brought(Introspection.type(old))));
                      }));
    }
  }

  private static Optional<JsonNode> find(JsonNode all, String key, String value) {
    for (JsonNode each : all) {
      if (each.path(key).asText().equals(value)) {
        return Optional.of(each);
      }
    }
    return Optional.empty();
  }

  /** The name in the newer schema of a type of the older one, which is added where it must be. */
  private String brought(String oldName) {
    String kind = older.kind(oldName);
    if (kind.equals("builtin")) {
      if (!newer.has(oldName)) {
        newer.add(older.get(oldName).deepCopy());
      }
      return oldName;
    }
    String known = newNames.get(oldName);
    if (known != null) {
      return known;
    }
    String name = "older " + oldName;
    newNames.put(oldName, name);
    ObjectNode copy = older.get(oldName).deepCopy();
    copy.put("name", name);
    newer.add(copy);
    if (copy.has("element-type")) {
      copy.put("element-type", brought(copy.path("element-type").asText()));
    }
    for (String types : List.of("members", "variants")) {
      for (JsonNode each : copy.path(types)) {
        if (each.has("type")) {
          ((ObjectNode) each).put("type", brought(Introspection.type(each)));
        }
      }
    }
    return name;
  }
}
