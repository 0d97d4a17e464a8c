package dev.stapes.qapi;

import static dev.stapes.qapi.JavaTypes.CODEC;
import static dev.stapes.qapi.JavaTypes.JSON;
import static dev.stapes.qapi.JavaTypes.JSON_OBJECT;
import static dev.stapes.qapi.JavaTypes.READER;
import static dev.stapes.qapi.JavaTypes.UNKNOWN;
import static dev.stapes.qapi.JavaTypes.WRITER;

import com.palantir.javapoet.ClassName;
import com.palantir.javapoet.CodeBlock;
import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.ParameterSpec;
import com.palantir.javapoet.TypeName;
import com.palantir.javapoet.TypeSpec;
import dev.stapes.qapi.Model.Member;
import dev.stapes.qapi.TypeRef.ListOf;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import javax.lang.model.element.Modifier;

/** Writes the record of an object: of a type, a case, a command or an event. */
final class RecordWriter {
  private final JavaTypes types;
  private final ClassName name;
  private final String subject;
  private final List<Member> members;
  private final Optional<String> inlined;
  private Optional<CodeBlock> tag = Optional.empty();
  private String tagMember = "";

  /**
   * A record.
   *
   * @param subject what messages call it
   * @param inlined the union that makes up the rest of it
   */
  RecordWriter(
      JavaTypes types,
      ClassName name,
      String subject,
      List<Member> members,
      Optional<String> inlined) {
    this.types = types;
    this.name = name;
    this.subject = subject;
    this.members = members;
    this.inlined = inlined;
    Set<String> names = new HashSet<>();
    for (Member member : members) {
      if (!names.add(javaName(member))) {
        throw new SchemaException(subject + ": two members are " + javaName(member) + " in Java");
      }
    }
  }

  /** It is a case of a union. */
  RecordWriter tagged(String member, String value) {
    tagMember = member;
    tag = Optional.of(CodeBlock.of(".put($S, $S, $T.TEXT)", member, value, CODEC));
    return this;
  }

  /** With all that a type and a command have. */
  TypeSpec.Builder write() {
    TypeSpec.Builder record = bare(List.of());
    record.addMethod(of());
    record.addMethod(fromJson());
    if (members.stream().anyMatch(Member::optional)) {
      new BuilderWriter(types, name, members, inlined).addTo(record);
    }
    return record;
  }

  /** The components and the constructor alone. */
  TypeSpec.Builder bare(List<ParameterSpec> first) {
    MethodSpec.Builder components = MethodSpec.constructorBuilder();
    components.addParameters(first);
    MethodSpec.Builder compact =
        MethodSpec.compactConstructorBuilder()
            .addModifiers(Modifier.PUBLIC)
            .addJavadoc("Copies.\n");
    for (ParameterSpec parameter : first) {
      compact.addStatement("$T.requireNonNull($N)", Objects.class, parameter);
    }
    for (Member member : members) {
      components.addParameter(types.component(member), javaName(member));
      check(member, compact);
    }
    if (inlined.isPresent()) {
      components.addParameter(types.named(inlined.get()), inlinedName(inlined.get()));
      compact.addStatement("$T.requireNonNull($L)", Objects.class, inlinedName(inlined.get()));
    } else {
      components.addParameter(UNKNOWN, "unknownMembers");
      compact.addStatement("unknownMembers = $T.copy(unknownMembers)", CODEC);
    }
    TypeSpec.Builder record =
        TypeSpec.recordBuilder(name)
            .addModifiers(
                name.enclosingClassName() == null
                    ? new Modifier[] {Modifier.PUBLIC}
                    : new Modifier[] {Modifier.PUBLIC, Modifier.STATIC})
            .recordConstructor(components.build())
            .addMethod(compact.build());
    inlined.ifPresent(
        union ->
            record.addMethod(
                overriding("unknownMembers", UNKNOWN)
                    .addStatement("return $L.unknownMembers()", inlinedName(union))
                    .build()));
    return record;
  }

  private void check(Member member, MethodSpec.Builder compact) {
    boolean list = member.type() instanceof ListOf;
    if (list && member.optional()) {
      compact.addStatement("$1L = $1L.map($2T::copyOf)", javaName(member), List.class);
    } else if (list) {
      compact.addStatement("$1L = $2T.copyOf($1L)", javaName(member), List.class);
    } else if (!types.component(member).isPrimitive()) {
      compact.addStatement("$T.requireNonNull($L)", Objects.class, javaName(member));
    }
  }

  private MethodSpec of() {
    MethodSpec.Builder method =
        MethodSpec.methodBuilder("of")
            .addJavadoc("With what must be there.\n")
            .addModifiers(Modifier.PUBLIC, Modifier.STATIC)
            .returns(name);
    List<CodeBlock> arguments = new ArrayList<>();
    for (Member member : members) {
      if (member.optional()) {
        TypeName type = types.component(member);
        arguments.add(
            CodeBlock.of(
                "$T.empty()",
                JavaTypes.isOptionalNumber(member) ? type : ClassName.get(Optional.class)));
      } else {
        method.addParameter(types.of(member.type()), javaName(member));
        arguments.add(CodeBlock.of("$L", javaName(member)));
      }
    }
    if (inlined.isPresent()) {
      method.addParameter(types.named(inlined.get()), inlinedName(inlined.get()));
      arguments.add(CodeBlock.of("$L", inlinedName(inlined.get())));
    } else {
      arguments.add(CodeBlock.of("$T.of()", Map.class));
    }
    return method.addStatement("return new $T($L)", name, CodeBlock.join(arguments, ", ")).build();
  }

  private MethodSpec fromJson() {
    MethodSpec.Builder method =
        MethodSpec.methodBuilder("fromJson")
            .addJavadoc("Reads.\n")
            .addModifiers(Modifier.PUBLIC, Modifier.STATIC)
            .addParameter(JSON, "json")
            .returns(name)
            .addStatement("$T in = new $T($S, json)", READER, READER, subject);
    if (tag.isPresent()) {
      method.addStatement("in.tag($S)", tagMember);
    }
    return method.addStatement("return new $T($L)", name, reading(List.of())).build();
  }

  /** The arguments of the constructor, out of a reader named in. */
  CodeBlock reading(List<CodeBlock> first) {
    List<CodeBlock> arguments = new ArrayList<>(first);
    for (Member member : members) {
      if (JavaTypes.isOptionalNumber(member)) {
        String method = member.type() == TypeRef.Builtin.INT ? "optionalInt" : "optionalNumber";
        arguments.add(CodeBlock.of("in.$L($S)", method, member.name()));
      } else {
        arguments.add(
            CodeBlock.of(
                "in.$L($S, $L)",
                member.optional() ? "optional" : "required",
                member.name(),
                types.codec(member.type())));
      }
    }
    arguments.add(
        inlined.isPresent()
            ? CodeBlock.of("$T.fromJson(in.inlined())", types.named(inlined.get()))
            : CodeBlock.of("in.rest()"));
    return CodeBlock.join(arguments, ",\n");
  }

  /** toJson. */
  MethodSpec writing() {
    return overriding("toJson", JSON_OBJECT).addStatement("return $L", written()).build();
  }

  CodeBlock written() {
    CodeBlock.Builder code =
        CodeBlock.builder()
            .add("new $T($L)", WRITER, inlined.isPresent() ? emptyMap() : "unknownMembers");
    tag.ifPresent(put -> code.add("\n").add(put));
    for (Member member : members) {
      if (JavaTypes.isOptionalNumber(member)) {
        code.add("\n.put($S, $L)", member.name(), javaName(member));
      } else {
        code.add("\n.put($S, $L, $L)", member.name(), javaName(member), types.codec(member.type()));
      }
    }
    inlined.ifPresent(union -> code.add("\n.inline($L)", inlinedName(union)));
    return code.add("\n.toJson()").build();
  }

  private static CodeBlock emptyMap() {
    return CodeBlock.of("$T.of()", Map.class);
  }

  static MethodSpec.Builder overriding(String method, TypeName returns) {
    return MethodSpec.methodBuilder(method)
        .addAnnotation(Override.class)
        .addModifiers(Modifier.PUBLIC)
        .returns(returns);
  }

  static String javaName(Member member) {
    return JavaNames.member(member.name());
  }

  static String inlinedName(String union) {
    return JavaNames.member(union);
  }
}
