package dev.stapes.qapi;

import static dev.stapes.qapi.JavaTypes.CODEC;
import static dev.stapes.qapi.JavaTypes.ENUM;
import static dev.stapes.qapi.JavaTypes.JSON;
import static dev.stapes.qapi.JavaTypes.OBJECT;
import static dev.stapes.qapi.JavaTypes.VALUE;

import com.palantir.javapoet.ClassName;
import com.palantir.javapoet.CodeBlock;
import com.palantir.javapoet.FieldSpec;
import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.ParameterizedTypeName;
import com.palantir.javapoet.TypeName;
import com.palantir.javapoet.TypeSpec;
import dev.stapes.qapi.Model.AlternateDefinition;
import dev.stapes.qapi.Model.Definition;
import dev.stapes.qapi.Model.EnumDefinition;
import dev.stapes.qapi.Model.Member;
import dev.stapes.qapi.Model.ObjectDefinition;
import dev.stapes.qapi.Model.UnionDefinition;
import dev.stapes.qapi.Model.Variant;
import dev.stapes.qapi.TypeRef.Builtin;
import dev.stapes.qapi.TypeRef.ListOf;
import dev.stapes.qapi.TypeRef.Named;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import javax.lang.model.element.Modifier;

/** Writes the types that a schema defines. */
final class TypeWriter {
  /**
   * The value of an enum, and the case of a union and of an alternate, that are of a newer QEMU.
   */
  private static final String UNRECOGNIZED = "UNRECOGNIZED";

  private static final String OTHER = "Unrecognized";

  private final JavaTypes types;
  private final Docs docs;
  private final Map<String, Definition> definitions;

  TypeWriter(JavaTypes types, Docs docs, Map<String, Definition> definitions) {
    this.types = types;
    this.docs = docs;
    this.definitions = definitions;
  }

  TypeSpec write(Definition definition) {
    if (definition instanceof EnumDefinition values) {
      return enumeration(values);
    } else if (definition instanceof ObjectDefinition object) {
      return object(object);
    } else if (definition instanceof UnionDefinition union) {
      return union(union);
    }
    return alternate((AlternateDefinition) definition);
  }

  private TypeSpec enumeration(EnumDefinition definition) {
    ClassName name = types.named(definition.name());
    TypeSpec.Builder type =
        TypeSpec.enumBuilder(name)
            .addJavadoc(docs.definition(definition))
            .addModifiers(Modifier.PUBLIC)
            .addSuperinterface(ENUM);
    Set<String> constants = new HashSet<>(Set.of(UNRECOGNIZED));
    for (String value : definition.values()) {
      String constant = JavaNames.constant(value);
      if (!constants.add(constant)) {
        throw new SchemaException(definition.name() + ": two values are " + constant + " in Java");
      }
      type.addEnumConstant(
          constant,
          TypeSpec.anonymousClassBuilder("$S", value).addJavadoc("{@code $L}.\n", value).build());
    }
    type.addEnumConstant(
        UNRECOGNIZED,
        TypeSpec.anonymousClassBuilder("$S", "").addJavadoc("What a newer QEMU says.\n").build());
    TypeName byText =
        ParameterizedTypeName.get(ClassName.get(Map.class), ClassName.get(String.class), name);
    return type.addField(
            FieldSpec.builder(byText, "BY_TEXT", Modifier.PRIVATE, Modifier.STATIC, Modifier.FINAL)
                .initializer("$T.byText(values())", CODEC)
                .build())
        .addField(String.class, "text", Modifier.PRIVATE, Modifier.FINAL)
        .addMethod(
            MethodSpec.constructorBuilder()
                .addParameter(String.class, "text")
                .addStatement("this.text = text")
                .build())
        .addMethod(
            MethodSpec.methodBuilder("of")
                .addJavadoc(
                    "The value of a text; {@link #UNRECOGNIZED} for one that is not here.\n")
                .addModifiers(Modifier.PUBLIC, Modifier.STATIC)
                .addParameter(String.class, "text")
                .returns(name)
                .addStatement("return BY_TEXT.getOrDefault(text, UNRECOGNIZED)")
                .build())
        .addMethod(
            RecordWriter.overriding("text", ClassName.get(String.class))
                .addStatement("return text")
                .build())
        .build();
  }

  private TypeSpec object(ObjectDefinition definition) {
    RecordWriter writer =
        new RecordWriter(
            types,
            types.named(definition.name()),
            definition.name(),
            definition.members(),
            Optional.empty());
    return writer
        .write()
        .addJavadoc(docs.definition(definition))
        .addJavadoc(docs.members(List.of(definition.name()), definition.members()))
        .addSuperinterface(OBJECT)
        .addMethod(writer.writing())
        .build();
  }

  private TypeSpec union(UnionDefinition definition) {
    ClassName name = types.named(definition.name());
    TypeSpec.Builder type =
        TypeSpec.interfaceBuilder(name)
            .addJavadoc(docs.definition(definition))
            .addModifiers(Modifier.PUBLIC, Modifier.SEALED)
            .addSuperinterface(OBJECT)
            .addMethod(accessor(definition.tag()));
    definition.members().forEach(member -> type.addMethod(accessor(member)));
    type.addMethod(unionFromJson(definition, name));
    Set<String> names = new HashSet<>(Set.of(OTHER, definition.name()));
    for (Variant variant : definition.variants()) {
      String simple = JavaNames.type(variant.value());
      if (!names.add(simple)) {
        throw new SchemaException(definition.name() + ": two cases are " + simple + " in Java");
      }
      type.addType(variant(definition, variant, name.nestedClass(simple)));
    }
    return type.addType(otherVariant(definition, name)).build();
  }

  private MethodSpec accessor(Member member) {
    return MethodSpec.methodBuilder(RecordWriter.javaName(member))
        .addJavadoc("{@code $L}.\n", member.name())
        .addModifiers(Modifier.PUBLIC, Modifier.ABSTRACT)
        .returns(types.component(member))
        .build();
  }

  private MethodSpec unionFromJson(UnionDefinition definition, ClassName name) {
    CodeBlock.Builder cases = CodeBlock.builder();
    cases.add("return switch ($T.tag(json, $S)) {\n$>", CODEC, definition.tag().name());
    for (Variant variant : definition.variants()) {
      cases.add(
          "case $S -> $T.fromJson(json);\n",
          variant.value(),
          name.nestedClass(JavaNames.type(variant.value())));
    }
    cases.add("default -> $T.fromJson(json);\n$<};\n", name.nestedClass(OTHER));
    return MethodSpec.methodBuilder("fromJson")
        .addJavadoc("Reads.\n")
        .addModifiers(Modifier.PUBLIC, Modifier.STATIC)
        .addParameter(JSON, "json")
        .returns(name)
        .addCode(cases.build())
        .build();
  }

  private TypeSpec variant(UnionDefinition union, Variant variant, ClassName name) {
    List<Member> members = new ArrayList<>(union.members());
    members.addAll(variant.fields().members());
    String owner = union.name() + "=" + variant.value();
    RecordWriter writer =
        new RecordWriter(types, name, owner, members, variant.fields().inlined())
            .tagged(union.tag().name(), variant.value());
    return writer
        .write()
        .addJavadoc(docs.variant(union.name(), union.tag().name(), variant.value()))
        .addJavadoc(docs.members(List.of(union.name(), owner), members))
        .addSuperinterface(types.named(union.name()))
        .addMethod(tagOf(union, JavaNames.constant(variant.value())))
        .addMethod(writer.writing())
        .build();
  }

  private TypeSpec otherVariant(UnionDefinition union, ClassName name) {
    RecordWriter writer =
        new RecordWriter(
            types, name.nestedClass(OTHER), union.name(), union.members(), Optional.empty());
    return writer
        .write()
        .addJavadoc(
            "A case of a newer QEMU; {@code $L} is among the unknown members.\n",
            union.tag().name())
        .addSuperinterface(name)
        .addMethod(tagOf(union, UNRECOGNIZED))
        .addMethod(writer.writing())
        .build();
  }

  private MethodSpec tagOf(UnionDefinition union, String constant) {
    TypeName type = types.of(union.tag().type());
    return RecordWriter.overriding(RecordWriter.javaName(union.tag()), type)
        .addStatement("return $T.$L", type, constant)
        .build();
  }

  private TypeSpec alternate(AlternateDefinition definition) {
    ClassName name = types.named(definition.name());
    TypeSpec.Builder type =
        TypeSpec.interfaceBuilder(name)
            .addJavadoc(docs.definition(definition))
            .addModifiers(Modifier.PUBLIC, Modifier.SEALED)
            .addSuperinterface(VALUE);
    CodeBlock.Builder reading = CodeBlock.builder();
    Set<String> names = new HashSet<>();
    for (TypeRef branch : definition.branches()) {
      String simple = branchName(branch);
      if (!names.add(simple)) {
        throw new SchemaException(definition.name() + ": two branches are " + simple);
      }
      ClassName nested = name.nestedClass(simple);
      reading.beginControlFlow("if (json.$L())", test(branch));
      boolean isNull = branch == Builtin.NULL;
      reading.addStatement(
          isNull
              ? CodeBlock.of("return new $T()", nested)
              : CodeBlock.of(
                  "return $T.held(json, $L, $T::new, $T::new)",
                  CODEC,
                  types.codec(branch),
                  nested,
                  name.nestedClass(OTHER)));
      reading.endControlFlow();
      type.addType(branch(name, nested, branch));
      type.addMethod(branchOf(name, nested, branch));
    }
    reading.addStatement("return new $T(json)", name.nestedClass(OTHER));
    return type.addType(otherBranch(name))
        .addMethod(
            MethodSpec.methodBuilder("fromJson")
                .addJavadoc("Reads.\n")
                .addModifiers(Modifier.PUBLIC, Modifier.STATIC)
                .addParameter(JSON, "json")
                .returns(name)
                .addCode(reading.build())
                .build())
        .build();
  }

  private TypeSpec branch(ClassName name, ClassName nested, TypeRef branch) {
    MethodSpec.Builder components = MethodSpec.constructorBuilder();
    MethodSpec.Builder compact =
        MethodSpec.compactConstructorBuilder()
            .addModifiers(Modifier.PUBLIC)
            .addJavadoc("Copies.\n");
    if (branch != Builtin.NULL) {
      components.addParameter(types.of(branch), "value");
    }
    if (branch instanceof ListOf) {
      compact.addStatement("value = $T.copyOf(value)", List.class);
    }
    TypeSpec.Builder record =
        TypeSpec.recordBuilder(nested)
            .addJavadoc("$L.\n", describe(branch))
            .addModifiers(Modifier.PUBLIC, Modifier.STATIC)
            .recordConstructor(components.build())
            .addSuperinterface(name)
            .addMethod(
                RecordWriter.overriding("toJson", JSON)
                    .addStatement(
                        branch == Builtin.NULL
                            ? CodeBlock.of("return $T.nothing()", CODEC)
                            : CodeBlock.of("return $L.encode(value)", types.codec(branch)))
                    .build());
    if (branch instanceof ListOf) {
      record.addMethod(compact.build());
    }
    return record.build();
  }

  private MethodSpec branchOf(ClassName name, ClassName nested, TypeRef branch) {
    MethodSpec.Builder method =
        MethodSpec.methodBuilder(branch == Builtin.NULL ? "ofNull" : "of")
            .addJavadoc("$L.\n", describe(branch))
            .addModifiers(Modifier.PUBLIC, Modifier.STATIC)
            .returns(name);
    if (branch == Builtin.NULL) {
      return method.addStatement("return new $T()", nested).build();
    }
    return method
        .addParameter(types.of(branch), "value")
        .addStatement("return new $T(value)", nested)
        .build();
  }

  private static TypeSpec otherBranch(ClassName name) {
    return TypeSpec.recordBuilder(name.nestedClass(OTHER))
        .addJavadoc("What a newer QEMU says.\n")
        .addModifiers(Modifier.PUBLIC, Modifier.STATIC)
        .recordConstructor(MethodSpec.constructorBuilder().addParameter(JSON, "json").build())
        .addSuperinterface(name)
        .addMethod(
            RecordWriter.overriding("toJson", JSON).addStatement("return json.deepCopy()").build())
        .build();
  }

  private boolean isEnum(TypeRef type) {
    return type instanceof Named named && definitions.get(named.name()) instanceof EnumDefinition;
  }

  private String branchName(TypeRef branch) {
    if (branch instanceof Builtin builtin) {
      return switch (builtin) {
        case TEXT -> "Text";
        case INT -> "Int";
        case NUMBER -> "Number";
        case BOOL -> "Bool";
        case NULL -> "Null";
        case ANY -> throw new SchemaException("an alternate with anything is not known");
      };
    }
    return branch instanceof ListOf ? "Items" : isEnum(branch) ? "Value" : "Fields";
  }

  private String test(TypeRef branch) {
    if (branch instanceof Builtin builtin) {
      return switch (builtin) {
        case TEXT -> "isTextual";
        case INT -> "isIntegralNumber";
        case NUMBER -> "isNumber";
        case BOOL -> "isBoolean";
        case NULL, ANY -> "isNull";
      };
    }
    return branch instanceof ListOf ? "isArray" : isEnum(branch) ? "isTextual" : "isObject";
  }

  private String describe(TypeRef branch) {
    if (branch instanceof Builtin builtin) {
      return switch (builtin) {
        case TEXT -> "Text";
        case INT -> "A whole number";
        case NUMBER -> "A number";
        case BOOL -> "True or false";
        case NULL, ANY -> "Null";
      };
    }
    return branch instanceof ListOf ? "A list" : isEnum(branch) ? "One value" : "An object";
  }
}
