package dev.stapes.qmp.qemu;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stapes.qapi.Model;
import dev.stapes.qapi.Model.AlternateDefinition;
import dev.stapes.qapi.Model.Definition;
import dev.stapes.qapi.Model.EnumDefinition;
import dev.stapes.qapi.Model.Fields;
import dev.stapes.qapi.Model.Member;
import dev.stapes.qapi.Model.ObjectDefinition;
import dev.stapes.qapi.Model.UnionDefinition;
import dev.stapes.qapi.Model.Variant;
import dev.stapes.qapi.TypeRef;
import dev.stapes.qapi.TypeRef.Builtin;
import dev.stapes.qapi.TypeRef.ListOf;
import dev.stapes.qapi.TypeRef.Named;
import java.math.BigInteger;
import java.util.List;
import java.util.Objects;
import java.util.Random;

/** JSON that a schema allows, or that a newer QEMU could say. */
final class RandomJson {
  private static final int DEEP = 5;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Model model;
  private final Random random;

  RandomJson(Model model, Random random) {
    this.model = model;
    this.random = random;
  }

  /** As Jackson reads it. */
  static JsonNode asRead(JsonNode json) {
    try {
      return JSON.readTree(json.toString());
    } catch (JsonProcessingException e) {
      throw new AssertionError(e);
    }
  }

  JsonNode definition(String name) {
    return asRead(definition(name, 0));
  }

  ObjectNode fields(Fields fields) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    add(json, fields, 0);
    return (ObjectNode) asRead(json);
  }

  private JsonNode definition(String name, int depth) {
    Definition definition = Objects.requireNonNull(model.definitions().get(name), name);
    if (definition instanceof EnumDefinition values) {
      return JsonNodeFactory.instance.textNode(rarely() ? "of-a-newer-qemu" : any(values.values()));
    } else if (definition instanceof AlternateDefinition alternate) {
      List<TypeRef> branches = alternate.branches();
      List<TypeRef> flat = branches.stream().filter(Builtin.class::isInstance).toList();
      return value(any(depth > DEEP && !flat.isEmpty() ? flat : branches), depth);
    }
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    if (definition instanceof ObjectDefinition object) {
      members(json, object.members(), depth);
    } else if (definition instanceof UnionDefinition union) {
      union(json, union, depth);
    }
    return json;
  }

  private void union(ObjectNode json, UnionDefinition union, int depth) {
    members(json, union.members(), depth);
    if (rarely()) {
      json.put(union.tag().name(), "of-a-newer-qemu");
    } else {
      Variant variant = any(union.variants());
      json.put(union.tag().name(), variant.value());
      add(json, variant.fields(), depth);
    }
  }

  private void add(ObjectNode json, Fields fields, int depth) {
    members(json, fields.members(), depth);
    if (fields.inlined().isPresent()) {
      json.setAll((ObjectNode) definition(fields.inlined().get(), depth));
    }
  }

  private void members(ObjectNode json, List<Member> members, int depth) {
    for (Member member : members) {
      if (!member.optional() || (depth < DEEP && random.nextInt(depth + 2) == 0)) {
        json.set(member.name(), value(member.type(), depth + 1));
      }
    }
    if (rarely()) {
      json.put("of-a-newer-qemu", random.nextInt());
    }
  }

  private JsonNode value(TypeRef type, int depth) {
    JsonNodeFactory nodes = JsonNodeFactory.instance;
    if (type instanceof Named named) {
      return definition(named.name(), depth);
    } else if (type instanceof ListOf list) {
      ArrayNode array = nodes.arrayNode();
      int size = depth > DEEP ? 0 : random.nextInt(3);
      for (int i = 0; i < size; i++) {
        array.add(value(list.element(), depth + 1));
      }
      return array;
    }
    return switch ((Builtin) type) {
      case TEXT -> nodes.textNode(Integer.toString(random.nextInt(), Character.MAX_RADIX));
      case INT -> rarely() ? nodes.numberNode(unsigned()) : nodes.numberNode(whole());
      case NUMBER ->
          random.nextBoolean() ? nodes.numberNode(whole()) : nodes.numberNode(random.nextDouble());
      case BOOL -> nodes.booleanNode(random.nextBoolean());
      case NULL -> nodes.nullNode();
      case ANY -> nodes.arrayNode().add(whole()).addNull();
    };
  }

  private long whole() {
    return random.nextBoolean() ? random.nextInt(100) : random.nextLong() >> 12;
  }

  private BigInteger unsigned() {
    return new BigInteger(Long.toUnsignedString(random.nextLong() | Long.MIN_VALUE));
  }

  private boolean rarely() {
    return random.nextInt(10) == 0;
  }

  private <T> T any(List<T> all) {
    return all.get(random.nextInt(all.size()));
  }
}
