package dev.stapes.qapi;

import com.palantir.javapoet.JavaFile;
import com.palantir.javapoet.TypeSpec;
import dev.stapes.qapi.Model.Command;
import dev.stapes.qapi.Model.Definition;
import dev.stapes.qapi.Model.Event;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Writes the Java of a schema. */
public final class Generator {
  private final Map<String, String> sources = new TreeMap<>();
  private final String packageName;

  private Generator(String packageName) {
    this.packageName = packageName;
  }

  /**
   * Writes all that the build needs. A file that has not changed is left alone.
   *
   * @param arguments the directory of the schemas, and that of the Java
   */
  public static void main(String[] arguments) throws IOException {
    Path schemas = Path.of(arguments[0]);
    Path java = Path.of(arguments[1]);
    Lines sentences = Lines.read(schemas.resolve("sentences.txt"));
    Generator qemu = new Generator("dev.stapes.qmp.qemu");
    qemu.write(qemu(schemas), sentences);
    Generator guest = new Generator("dev.stapes.qmp.guest");
    guest.write(guest(schemas), sentences);
    sentences.refuseUnused();
    qemu.save(java);
    guest.save(java);
  }

  /** The schema of QEMU and of its storage daemon. */
  public static Model qemu(Path schemas) throws IOException {
    return ModelReader.read(
        schemas.resolve("qemu-10.0.json"),
        List.of(schemas.resolve("qemu-7.2.json")),
        Lines.read(schemas.resolve("names.txt")));
  }

  /** The schema of the guest agent. */
  public static Model guest(Path schemas) throws IOException {
    return ModelReader.read(
        schemas.resolve("guest-agent.json"), List.of(), Lines.parse("no names", ""));
  }

  /** The sources of a schema, by the names of their files. */
  static Map<String, String> sources(String packageName, Model model, Lines sentences) {
    Generator generator = new Generator(packageName);
    generator.write(model, sentences);
    return generator.sources;
  }

  private void write(Model model, Lines sentences) {
    JavaTypes types = new JavaTypes(packageName, model.definitions());
    Docs docs = new Docs(sentences);
    MessageWriter messages = new MessageWriter(types, docs);
    TypeWriter definitions = new TypeWriter(types, docs, model.definitions());
    Set<String> commands = new HashSet<>();
    for (Command command : model.commands()) {
      add(messages.command(command));
      if (command.argument().filter(command.javaName()::equals).isPresent()) {
        commands.add(command.javaName());
      }
    }
    for (Event event : model.events()) {
      add(messages.event(event));
    }
    if (!model.events().isEmpty()) {
      add(messages.events(model.events()));
    }
    for (Definition definition : model.definitions().values()) {
      // Arguments of the same name as their command are that command.
      if (!commands.contains(definition.name())) {
        add(definitions.write(definition));
      }
    }
  }

  private void add(TypeSpec type) {
    String name = type.name();
    if (isOfJava(name)) {
      throw new SchemaException(name + " is a class of java.lang");
    }
    JavaFile file =
        JavaFile.builder(packageName, type).skipJavaLangImports(true).indent("  ").build();
    if (sources.put(name + ".java", file.toString()) != null) {
      throw new SchemaException("two types are named " + name);
    }
  }

  private static boolean isOfJava(String name) {
    return Object.class.getResource("/java/lang/" + name + ".class") != null;
  }

  private void save(Path root) throws IOException {
    Path directory = root.resolve(packageName.replace('.', '/'));
    Files.createDirectories(directory);
    for (Map.Entry<String, String> source : sources.entrySet()) {
      Path file = directory.resolve(source.getKey());
      if (!Files.exists(file) || !Files.readString(file).equals(source.getValue())) {
        Files.writeString(file, source.getValue());
      }
    }
    List<Path> old = new ArrayList<>();
    try (Stream<Path> files = Files.list(directory)) {
      files
          .filter(file -> !sources.containsKey(String.valueOf(file.getFileName())))
          .forEach(old::add);
    }
    for (Path file : old) {
      Files.delete(file);
    }
  }
}
