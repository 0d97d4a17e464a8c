package dev.stapes.qapi;

import static dev.stapes.qapi.JavaTypes.COMMAND;
import static dev.stapes.qapi.JavaTypes.EVENT;
import static dev.stapes.qapi.JavaTypes.JSON;
import static dev.stapes.qapi.JavaTypes.OBJECT;
import static dev.stapes.qapi.JavaTypes.RAW_EVENT;
import static dev.stapes.qapi.JavaTypes.READER;
import static dev.stapes.qapi.JavaTypes.UNKNOWN;

import com.palantir.javapoet.ClassName;
import com.palantir.javapoet.CodeBlock;
import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.ParameterSpec;
import com.palantir.javapoet.ParameterizedTypeName;
import com.palantir.javapoet.TypeName;
import com.palantir.javapoet.TypeSpec;
import dev.stapes.qapi.Model.Command;
import dev.stapes.qapi.Model.Event;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import javax.lang.model.element.Modifier;

/** Writes commands and events. */
final class MessageWriter {
  private static final String EVENTS = "QemuEvent";

  private final JavaTypes types;
  private final Docs docs;

  MessageWriter(JavaTypes types, Docs docs) {
    this.types = types;
    this.docs = docs;
  }

  TypeSpec command(Command command) {
    ClassName name = types.named(command.javaName());
    TypeName result =
        command.returns().map(types::of).map(TypeName::box).orElse(ClassName.get(Void.class));
    RecordWriter writer =
        new RecordWriter(
            types, name, command.name(), command.fields().members(), command.fields().inlined());
    return writer
        .write()
        .addJavadoc(docs.command(command.name(), command.features()))
        .addJavadoc(docs.members(List.of(command.name()), command.fields().members()))
        .addSuperinterface(ParameterizedTypeName.get(COMMAND, result))
        .addSuperinterface(OBJECT)
        .addMethod(named("commandName", command.name()))
        .addMethod(
            RecordWriter.overriding("arguments", JavaTypes.JSON_OBJECT)
                .addStatement("return toJson()")
                .build())
        .addMethod(writer.writing())
        .addMethod(
            RecordWriter.overriding("result", result)
                .addParameter(JSON, "returned")
                .addStatement(
                    command
                        .returns()
                        .map(type -> CodeBlock.of("return $L.decode(returned)", types.codec(type)))
                        .orElse(CodeBlock.of("return null")))
                .build())
        .build();
  }

  TypeSpec event(Event event) {
    ClassName name = types.named(event.javaName());
    RecordWriter writer =
        new RecordWriter(types, name, event.name(), event.members(), Optional.empty());
    ParameterSpec at = ParameterSpec.builder(Instant.class, "at").build();
    return writer
        .bare(List.of(at))
        .addJavadoc(docs.event(event.name(), event.features()))
        .addJavadoc(docs.members(List.of(event.name()), event.members()))
        .addSuperinterface(types.named(EVENTS))
        .addMethod(
            MethodSpec.methodBuilder("from")
                .addJavadoc("Reads.\n")
                .addModifiers(Modifier.PUBLIC, Modifier.STATIC)
                .addParameter(RAW_EVENT, "event")
                .returns(name)
                .addStatement("$T in = new $T($S, event.data())", READER, READER, event.name())
                .addStatement(
                    "return new $T($L)", name, writer.reading(List.of(CodeBlock.of("event.at()"))))
                .build())
        .addMethod(named("eventName", event.name()))
        .addMethod(
            RecordWriter.overriding("raw", RAW_EVENT)
                .addStatement("return new $T(eventName(), at, $L)", RAW_EVENT, writer.written())
                .build())
        .build();
  }

  /** What all events have in common, and the reader of any of them. */
  TypeSpec events(List<Event> events) {
    CodeBlock.Builder cases = CodeBlock.builder().add("return switch (event.eventName()) {\n$>");
    TypeSpec.Builder type =
        TypeSpec.interfaceBuilder(types.named(EVENTS))
            .addJavadoc("An event of QEMU.\n")
            .addModifiers(Modifier.PUBLIC, Modifier.SEALED)
            .addSuperinterface(EVENT);
    for (Event event : events) {
      ClassName name = types.named(event.javaName());
      type.addPermittedSubclass(name);
      cases.add("case $S -> $T.from(event);\n", event.name(), name);
    }
    cases.add("default -> event;\n$<};\n");
    return type.addMethod(
            MethodSpec.methodBuilder("unknownMembers")
                .addJavadoc("See {@link $T#unknownMembers()}.\n", OBJECT)
                .addModifiers(Modifier.PUBLIC, Modifier.ABSTRACT)
                .returns(UNKNOWN)
                .build())
        .addMethod(
            MethodSpec.methodBuilder("raw")
                .addJavadoc("As the protocol has it.\n")
                .addModifiers(Modifier.PUBLIC, Modifier.ABSTRACT)
                .returns(RAW_EVENT)
                .build())
        .addMethod(
            MethodSpec.methodBuilder("from")
                .addJavadoc(
                    """
                    Reads.

                    @return one of these, or the event itself where it is none of them
                    @throws $T where it is not what the schema says
                    """,
                    ClassName.get(JavaTypes.QMP, "QmpProtocolException"))
                .addModifiers(Modifier.PUBLIC, Modifier.STATIC)
                .addParameter(RAW_EVENT, "event")
                .returns(EVENT)
                .addCode(cases.build())
                .build())
        .build();
  }

  private static MethodSpec named(String method, String name) {
    return RecordWriter.overriding(method, ClassName.get(String.class))
        .addStatement("return $S", name)
        .build();
  }
}
