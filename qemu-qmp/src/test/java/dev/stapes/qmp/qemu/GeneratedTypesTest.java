package dev.stapes.qmp.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stapes.qapi.Generator;
import dev.stapes.qapi.Lines;
import dev.stapes.qapi.Model;
import dev.stapes.qapi.Model.Command;
import dev.stapes.qapi.Model.Definition;
import dev.stapes.qapi.Model.EnumDefinition;
import dev.stapes.qapi.Model.Event;
import dev.stapes.qapi.Model.Fields;
import dev.stapes.qmp.QmpCommand;
import dev.stapes.qmp.QmpEnum;
import dev.stapes.qmp.QmpValue;
import dev.stapes.qmp.RawEvent;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Each generated type against the schema that it was generated from. */
class GeneratedTypesTest {
  private static final Path SCHEMAS = Path.of("src/main/qapi");
  private static final String QEMU = "dev.stapes.qmp.qemu.";
  private static final String GUEST = "dev.stapes.qmp.guest.";
  private static final Model QEMU_MODEL = model(true);
  private static final Model GUEST_MODEL = model(false);

  @Property(tries = 40)
  void every_type_writes_what_it_has_read(@ForAll Random random) throws Exception {
    for (Definition definition : QEMU_MODEL.definitions().values()) {
      check(QEMU, QEMU_MODEL, definition, random);
    }
    for (Definition definition : GUEST_MODEL.definitions().values()) {
      check(GUEST, GUEST_MODEL, definition, random);
    }
  }

  @Property(tries = 40)
  void every_command_writes_what_it_has_read(@ForAll Random random) throws Exception {
    for (Command command : QEMU_MODEL.commands()) {
      check(QEMU, QEMU_MODEL, command, random);
    }
    for (Command command : GUEST_MODEL.commands()) {
      check(GUEST, GUEST_MODEL, command, random);
    }
  }

  @Property(tries = 40)
  void every_event_writes_what_it_has_read(@ForAll Random random) {
    for (Event event : QEMU_MODEL.events()) {
      ObjectNode data =
          new RandomJson(QEMU_MODEL, random).fields(new Fields(event.members(), Optional.empty()));
      RawEvent raw = new RawEvent(event.name(), Instant.EPOCH, data);
      QemuEvent read = (QemuEvent) QemuEvent.from(raw);
      assertEquals(event.javaName(), read.getClass().getSimpleName());
      assertEquals(raw, read.raw());
      assertEquals(event.name(), read.eventName());
    }
  }

  @Test
  void every_value_of_every_enum_is_found_by_its_text() throws Exception {
    for (Definition definition : QEMU_MODEL.definitions().values()) {
      if (definition instanceof EnumDefinition values) {
        Class<?> type = Class.forName(QEMU + definition.name());
        for (String value : values.values()) {
          assertEquals(
              value,
              ((QmpEnum) made(type.getMethod("of", String.class).invoke(null, value))).text());
        }
      }
    }
  }

  @Test
  void every_command_and_every_event_has_a_sentence() throws IOException {
    Lines sentences = Lines.read(SCHEMAS.resolve("sentences.txt"));
    List<String> missing = new ArrayList<>();
    List<String> names = new ArrayList<>();
    QEMU_MODEL.commands().forEach(command -> names.add(command.name()));
    QEMU_MODEL.events().forEach(event -> names.add(event.name()));
    GUEST_MODEL.commands().forEach(command -> names.add(command.name()));
    for (String name : names) {
      if (sentences.get(name).filter(text -> text.endsWith(".")).isEmpty()) {
        missing.add(name);
      }
    }
    assertEquals(List.of(), missing);
    assertTrue(names.size() > 300, names::toString);
  }

  private static void check(String packageName, Model model, Definition definition, Random random)
      throws ReflectiveOperationException {
    if (!(definition instanceof EnumDefinition)) {
      JsonNode json = new RandomJson(model, random).definition(definition.name());
      assertEquals(json, ((QmpValue) read(packageName + definition.name(), json)).toJson());
    }
  }

  private static void check(String packageName, Model model, Command command, Random random)
      throws ReflectiveOperationException {
    ObjectNode json = new RandomJson(model, random).fields(command.fields());
    QmpCommand<?> read = (QmpCommand<?>) read(packageName + command.javaName(), json);
    assertEquals(json, read.arguments());
    assertEquals(command.name(), read.commandName());
  }

  private static Object read(String type, JsonNode json) throws ReflectiveOperationException {
    return made(Class.forName(type).getMethod("fromJson", JsonNode.class).invoke(null, json));
  }

  private static Object made(@Nullable Object value) {
    return Objects.requireNonNull(value);
  }

  private static Model model(boolean qemu) {
    try {
      return qemu ? Generator.qemu(SCHEMAS) : Generator.guest(SCHEMAS);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
