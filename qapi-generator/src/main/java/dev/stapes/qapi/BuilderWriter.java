package dev.stapes.qapi;

import static dev.stapes.qapi.JavaTypes.JSON;
import static dev.stapes.qapi.JavaTypes.UNKNOWN;
import static dev.stapes.qapi.RecordWriter.inlinedName;
import static dev.stapes.qapi.RecordWriter.javaName;

import com.palantir.javapoet.ClassName;
import com.palantir.javapoet.CodeBlock;
import com.palantir.javapoet.FieldSpec;
import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.TypeName;
import com.palantir.javapoet.TypeSpec;
import dev.stapes.qapi.Model.Member;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import javax.lang.model.element.Modifier;

/** Writes the builder of a record with optional members. */
final class BuilderWriter {
  private final JavaTypes types;
  private final ClassName record;
  private final ClassName builder;
  private final List<Member> members;
  private final Optional<String> inlined;

  BuilderWriter(JavaTypes types, ClassName record, List<Member> members, Optional<String> inlined) {
    this.types = types;
    this.record = record;
    this.builder = record.nestedClass("Builder");
    this.members = members;
    this.inlined = inlined;
  }

  void addTo(TypeSpec.Builder type) {
    type.addMethod(start()).addMethod(again()).addType(builder());
  }

  private MethodSpec start() {
    MethodSpec.Builder method =
        MethodSpec.methodBuilder("builder")
            .addJavadoc("With what must be there, and more to come.\n")
            .addModifiers(Modifier.PUBLIC, Modifier.STATIC)
            .returns(builder);
    List<String> arguments = new ArrayList<>();
    for (Member member : required()) {
      method.addParameter(types.of(member.type()), javaName(member));
      arguments.add(javaName(member));
    }
    inlined.ifPresent(
        union -> {
          method.addParameter(types.named(union), inlinedName(union));
          arguments.add(inlinedName(union));
        });
    return method.addStatement("return new $T($L)", builder, String.join(", ", arguments)).build();
  }

  private MethodSpec again() {
    List<String> arguments =
        new ArrayList<>(required().stream().map(RecordWriter::javaName).toList());
    inlined.map(RecordWriter::inlinedName).ifPresent(arguments::add);
    MethodSpec.Builder method =
        MethodSpec.methodBuilder("toBuilder")
            .addJavadoc("With all that is there.\n")
            .addModifiers(Modifier.PUBLIC)
            .returns(builder)
            .addStatement("$T copy = new $T($L)", builder, builder, String.join(", ", arguments));
    for (Member member : members) {
      if (member.optional()) {
        method.addStatement("copy.$1L = this.$1L", javaName(member));
      }
    }
    if (inlined.isEmpty()) {
      method.addStatement("copy.unknownMembers.putAll(this.unknownMembers)");
    }
    return method.addStatement("return copy").build();
  }

  private TypeSpec builder() {
    TypeSpec.Builder type =
        TypeSpec.classBuilder(builder)
            .addJavadoc("Sets members.\n")
            .addModifiers(Modifier.PUBLIC, Modifier.STATIC, Modifier.FINAL);
    MethodSpec.Builder constructor = MethodSpec.constructorBuilder().addModifiers(Modifier.PRIVATE);
    for (Member member : members) {
      type.addField(field(member));
      if (!member.optional()) {
        constructor.addParameter(types.of(member.type()), javaName(member));
        constructor.addStatement("this.$1L = $1L", javaName(member));
      }
    }
    inlined.ifPresent(
        union -> {
          type.addField(types.named(union), inlinedName(union), Modifier.PRIVATE, Modifier.FINAL);
          constructor.addParameter(types.named(union), inlinedName(union));
          constructor.addStatement("this.$1L = $1L", inlinedName(union));
        });
    if (inlined.isEmpty()) {
      type.addField(
          FieldSpec.builder(UNKNOWN, "unknownMembers", Modifier.PRIVATE, Modifier.FINAL)
              .initializer("new $T<>()", LinkedHashMap.class)
              .build());
    }
    type.addMethod(constructor.build());
    members.forEach(member -> type.addMethod(setter(member)));
    if (inlined.isEmpty()) {
      type.addMethod(unknownMember());
    }
    return type.addMethod(build()).build();
  }

  private FieldSpec field(Member member) {
    FieldSpec.Builder field =
        FieldSpec.builder(types.component(member), javaName(member), Modifier.PRIVATE);
    if (member.optional()) {
      field.initializer("$T.empty()", optional(member));
    }
    return field.build();
  }

  private MethodSpec setter(Member member) {
    MethodSpec.Builder method =
        MethodSpec.methodBuilder(javaName(member))
            .addJavadoc("Sets {@code $L}.\n", member.name())
            .addModifiers(Modifier.PUBLIC)
            .addParameter(types.of(member.type()), javaName(member))
            .returns(builder);
    if (member.optional()) {
      method.addStatement("this.$1L = $2T.of($1L)", javaName(member), optional(member));
    } else {
      method.addStatement("this.$1L = $1L", javaName(member));
    }
    if (inlined.isEmpty()) {
      method.addStatement("unknownMembers.remove($S)", member.name());
    }
    return method.addStatement("return this").build();
  }

  private MethodSpec unknownMember() {
    return MethodSpec.methodBuilder("unknownMember")
        .addJavadoc("Sets a member that this type does not know, or a value that it cannot hold.\n")
        .addModifiers(Modifier.PUBLIC)
        .addParameter(String.class, "name")
        .addParameter(JSON, "value")
        .returns(builder)
        .addStatement("unknownMembers.put(name, value)")
        .addStatement("return this")
        .build();
  }

  private MethodSpec build() {
    List<CodeBlock> arguments = new ArrayList<>();
    members.forEach(member -> arguments.add(CodeBlock.of("$L", javaName(member))));
    arguments.add(
        CodeBlock.of("$L", inlined.map(RecordWriter::inlinedName).orElse("unknownMembers")));
    return MethodSpec.methodBuilder("build")
        .addJavadoc("With all that was set.\n")
        .addModifiers(Modifier.PUBLIC)
        .returns(record)
        .addStatement("return new $T($L)", record, CodeBlock.join(arguments, ", "))
        .build();
  }

  private List<Member> required() {
    return members.stream().filter(member -> !member.optional()).toList();
  }

  private TypeName optional(Member member) {
    return JavaTypes.isOptionalNumber(member)
        ? types.component(member)
        : ClassName.get(Optional.class);
  }
}
