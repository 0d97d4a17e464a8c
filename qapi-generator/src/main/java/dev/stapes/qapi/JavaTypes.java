package dev.stapes.qapi;

import com.palantir.javapoet.ClassName;
import com.palantir.javapoet.CodeBlock;
import com.palantir.javapoet.ParameterizedTypeName;
import com.palantir.javapoet.TypeName;
import dev.stapes.qapi.Model.Definition;
import dev.stapes.qapi.Model.EnumDefinition;
import dev.stapes.qapi.Model.Member;
import dev.stapes.qapi.TypeRef.Builtin;
import dev.stapes.qapi.TypeRef.ListOf;
import dev.stapes.qapi.TypeRef.Named;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.SortedMap;

/** The types of Java that the generated code speaks of. */
final class JavaTypes {
  static final String QMP = "dev.stapes.qmp";
  static final ClassName OBJECT = ClassName.get(QMP, "QmpObject");
  static final ClassName VALUE = ClassName.get(QMP, "QmpValue");
  static final ClassName ENUM = ClassName.get(QMP, "QmpEnum");
  static final ClassName COMMAND = ClassName.get(QMP, "QmpCommand");
  static final ClassName EVENT = ClassName.get(QMP, "QmpEvent");
  static final ClassName RAW_EVENT = ClassName.get(QMP, "RawEvent");
  static final ClassName CODEC = ClassName.get(QMP + ".codec", "Codec");
  static final ClassName READER = ClassName.get(QMP + ".codec", "MemberReader");
  static final ClassName WRITER = ClassName.get(QMP + ".codec", "MemberWriter");
  static final ClassName JSON = ClassName.get("com.fasterxml.jackson.databind", "JsonNode");
  static final ClassName JSON_OBJECT =
      ClassName.get("com.fasterxml.jackson.databind.node", "ObjectNode");
  static final TypeName UNKNOWN =
      ParameterizedTypeName.get(ClassName.get(Map.class), ClassName.get(String.class), JSON);

  private final String packageName;
  private final SortedMap<String, Definition> definitions;

  JavaTypes(String packageName, SortedMap<String, Definition> definitions) {
    this.packageName = packageName;
    this.definitions = definitions;
  }

  ClassName named(String name) {
    return ClassName.get(packageName, name);
  }

  TypeName of(TypeRef type) {
    if (type instanceof Named named) {
      return named(named.name());
    } else if (type instanceof ListOf list) {
      return ParameterizedTypeName.get(ClassName.get(List.class), of(list.element()).box());
    }
    return switch ((Builtin) type) {
      case TEXT -> ClassName.get(String.class);
      case INT -> TypeName.LONG;
      case NUMBER -> TypeName.DOUBLE;
      case BOOL -> TypeName.BOOLEAN;
      case ANY, NULL -> JSON;
    };
  }

  /** Of the record's component. */
  TypeName component(Member member) {
    if (!member.optional()) {
      return of(member.type());
    } else if (member.type() == Builtin.INT) {
      return ClassName.get(OptionalLong.class);
    } else if (member.type() == Builtin.NUMBER) {
      return ClassName.get(OptionalDouble.class);
    }
    return ParameterizedTypeName.get(ClassName.get(Optional.class), of(member.type()).box());
  }

  /** What reads and writes it. */
  CodeBlock codec(TypeRef type) {
    if (type instanceof Named named) {
      boolean isEnum = definitions.get(named.name()) instanceof EnumDefinition;
      return CodeBlock.of(
          isEnum ? "$T.enumeration($T::of)" : "$T.value($T::fromJson)", CODEC, named(named.name()));
    } else if (type instanceof ListOf list) {
      return CodeBlock.of("$T.list($L)", CODEC, codec(list.element()));
    }
    return CodeBlock.of("$T.$L", CODEC, type == Builtin.NULL ? Builtin.ANY : type);
  }

  static boolean isOptionalNumber(Member member) {
    return member.optional() && (member.type() == Builtin.INT || member.type() == Builtin.NUMBER);
  }
}
