package dev.stapes.qapi;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stapes.qapi.Model.AlternateDefinition;
import dev.stapes.qapi.Model.Command;
import dev.stapes.qapi.Model.Definition;
import dev.stapes.qapi.Model.EnumDefinition;
import dev.stapes.qapi.Model.Event;
import dev.stapes.qapi.Model.Fields;
import dev.stapes.qapi.Model.Member;
import dev.stapes.qapi.Model.ObjectDefinition;
import dev.stapes.qapi.Model.UnionDefinition;
import dev.stapes.qapi.Model.Variant;
import dev.stapes.qapi.TypeRef.Builtin;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/** Makes a {@link Model} of a schema and the names of its types. */
public final class ModelReader {
  private final Introspection schema;
  private final TypeNames names;

  private ModelReader(Introspection schema, TypeNames names) {
    this.schema = schema;
    this.names = names;
  }

  /**
   * Reads files.
   *
   * @param newest the recorded schema
   * @param older such of older versions
   */
  public static Model read(Path newest, List<Path> older, Lines names) throws IOException {
    Introspection schema = Introspection.read(newest);
    for (Path file : older) {
      OlderSchema.add(schema, Introspection.read(file));
    }
    return read(schema, names);
  }

  static Model read(Introspection schema, Lines names) {
    Model model = new ModelReader(schema, TypeNames.of(schema, names)).read();
    names.refuseUnused();
    return model;
  }

  private Model read() {
    List<Command> commands = schema.all("command").stream().map(this::command).toList();
    List<Event> events = schema.all("event").stream().map(this::event).toList();
    SortedMap<String, Definition> definitions = new TreeMap<>();
    for (String type : names.types()) {
      Definition definition = definition(type);
      definitions.put(definition.name(), definition);
    }
    return new Model(commands, events, definitions);
  }

  private Command command(ObjectNode entry) {
    String argument = entry.path("arg-type").asText();
    JsonNode returns = entry.path("ret-type");
    Optional<TypeRef> result =
        returns.isMissingNode() || isNothing(returns.asText())
            ? Optional.empty()
            : Optional.of(ref(returns.asText()));
    return new Command(
        Introspection.name(entry), fields(argument), names.name(argument), result, features(entry));
  }

  private boolean isNothing(String type) {
    ObjectNode entry = schema.get(type);
    return schema.kind(type).equals("object")
        && entry.path("members").isEmpty()
        && !entry.has("variants");
  }

  private Event event(ObjectNode entry) {
    Fields data = fields(entry.path("arg-type").asText());
    if (data.inlined().isPresent()) {
      throw new SchemaException(Introspection.name(entry) + ": data that is a union is not known");
    }
    return new Event(Introspection.name(entry), data.members(), features(entry));
  }

  private Fields fields(String type) {
    ObjectNode entry = schema.get(type);
    if (!schema.kind(type).equals("object")) {
      throw new SchemaException(type + ": expected an object, not " + schema.kind(type));
    }
    return entry.has("variants")
        ? new Fields(List.of(), names.name(type))
        : new Fields(members(entry), Optional.empty());
  }

  private List<Member> members(ObjectNode entry) {
    List<Member> members = new ArrayList<>();
    for (JsonNode member : entry.path("members")) {
      members.add(
          new Member(
              Introspection.name(member),
              ref(Introspection.type(member)),
              member.has("default"),
              features(member)));
    }
    return List.copyOf(members);
  }

  private static Set<String> features(JsonNode entry) {
    Set<String> features = new LinkedHashSet<>();
    entry.path("features").forEach(feature -> features.add(feature.asText()));
    return features;
  }

  private TypeRef ref(String type) {
    ObjectNode entry = schema.get(type);
    return switch (schema.kind(type)) {
      case "builtin" -> builtin(entry);
      case "array" -> new TypeRef.ListOf(ref(entry.path("element-type").asText()));
      default ->
          new TypeRef.Named(
              names.name(type).orElseThrow(() -> new SchemaException(type + " has no name")));
    };
  }

  private static Builtin builtin(ObjectNode entry) {
    String kind = entry.path("json-type").asText();
    return switch (kind) {
      case "string" -> Builtin.TEXT;
      case "int" -> Builtin.INT;
      case "number" -> Builtin.NUMBER;
      case "boolean" -> Builtin.BOOL;
      case "null" -> Builtin.NULL;
      case "value" -> Builtin.ANY;
      default ->
          throw new SchemaException(Introspection.name(entry) + ": unknown json-type " + kind);
    };
  }

  private Definition definition(String type) {
    ObjectNode entry = schema.get(type);
    String name = names.name(type).orElseThrow();
    String use = names.places(type).get(0);
    return switch (schema.kind(type)) {
      case "enum" -> new EnumDefinition(name, use, values(entry));
      case "object" -> entry.has("variants") ? union(name, use, entry) : object(name, use, entry);
      case "alternate" -> new AlternateDefinition(name, use, branches(entry));
      default -> throw new SchemaException(name + ": unknown meta-type " + schema.kind(type));
    };
  }

  private static List<String> values(ObjectNode entry) {
    List<String> values = new ArrayList<>();
    entry.path("values").forEach(value -> values.add(value.asText()));
    return List.copyOf(values);
  }

  private ObjectDefinition object(String name, String use, ObjectNode entry) {
    return new ObjectDefinition(name, use, members(entry));
  }

  private UnionDefinition union(String name, String use, ObjectNode entry) {
    String tag = entry.path("tag").asText();
    List<Member> members = new ArrayList<>(members(entry));
    Member tagMember =
        members.stream()
            .filter(member -> member.name().equals(tag))
            .findFirst()
            .orElseThrow(() -> new SchemaException(name + " has no member " + tag));
    if (tagMember.optional() || !(tagMember.type() instanceof TypeRef.Named)) {
      throw new SchemaException(name + "." + tag + ": an optional tag, or no enum, is not known");
    }
    members.remove(tagMember);
    List<Variant> variants = new ArrayList<>();
    for (JsonNode each : entry.path("variants")) {
      variants.add(new Variant(each.path("case").asText(), fields(Introspection.type(each))));
    }
    return new UnionDefinition(name, use, tagMember, List.copyOf(members), List.copyOf(variants));
  }

  private List<TypeRef> branches(ObjectNode entry) {
    List<TypeRef> branches = new ArrayList<>();
    entry.path("members").forEach(branch -> branches.add(ref(Introspection.type(branch))));
    return List.copyOf(branches);
  }
}
