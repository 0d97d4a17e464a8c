package dev.stapes.qmp.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stapes.qapi.JavaNames;
import dev.stapes.qmp.QmpCommand;
import dev.stapes.qmp.QmpEnum;
import dev.stapes.qmp.QmpValue;
import dev.stapes.testkit.RequiresTool;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Asks a real QEMU all that can be asked without arguments: what is read and written again is what
 * it said.
 */
class QueriesIT {
  private static final List<String> MACHINE =
      List.of(
          "-machine",
          "q35",
          "-nodefaults",
          "-display",
          "none",
          "-accel",
          "tcg",
          "-S",
          "-qmp",
          "stdio",
          "-m",
          "64",
          "-smp",
          "2",
          "-blockdev",
          "driver=null-co,node-name=n0,size=1048576",
          "-device",
          "virtio-blk-pci,drive=n0,id=d0",
          "-chardev",
          "null,id=c0",
          "-netdev",
          "hubport,id=u0,hubid=1",
          "-device",
          "virtio-net-pci,netdev=u0,id=e0",
          "-object",
          "iothread,id=t0");

  @Test
  @RequiresTool("qemu-system-x86_64")
  void nothing_is_lost_of_what_the_installed_qemu_says() throws Exception {
    assertTrue(ask(command("qemu-system-x86_64", MACHINE)) > 50);
  }

  /** The QEMU that the newest schema was recorded from, where it is on the PATH by this name. */
  @Test
  @RequiresTool("qemu10-system-x86_64")
  void nothing_is_lost_of_what_qemu_10_says() throws Exception {
    assertTrue(ask(command("qemu10-system-x86_64", MACHINE)) > 50);
  }

  @Test
  @RequiresTool("qemu-storage-daemon")
  void nothing_is_lost_of_what_the_storage_daemon_says() throws Exception {
    List<String> daemon =
        List.of(
            "--chardev", "stdio,id=c0", "--monitor", "c0", "--blockdev", "null-co,node-name=n0");
    assertTrue(ask(command("qemu-storage-daemon", daemon)) > 5);
  }

  private static List<String> command(String program, List<String> arguments) {
    List<String> command = new ArrayList<>(List.of(program));
    command.addAll(arguments);
    return command;
  }

  /** How many commands were answered. */
  private static int ask(List<String> command) throws Exception {
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    try (BufferedReader from = process.inputReader();
        BufferedWriter to = process.outputWriter()) {
      assertTrue(new ObjectMapper().readTree(line(from)).has("QMP"));
      Session session = new Session(from, to);
      session.returned(QmpCapabilities.of());
      List<SchemaInfo> schema =
          QueryQmpSchema.of().result(session.returned(QueryQmpSchema.of()).path("return"));
      int answered = 0;
      for (String name : queries(schema)) {
        QmpCommand<?> query = query(name);
        JsonNode answer = session.returned(query);
        // Some need a machine that this one is not, and say so.
        if (answer.has("return")) {
          JsonNode returned = answer.path("return");
          assertEquals(returned, written(query.result(returned)), name);
          answered++;
        }
      }
      return answered;
    } finally {
      process.destroyForcibly().waitFor();
    }
  }

  private static List<String> queries(List<SchemaInfo> schema) {
    Map<String, SchemaInfo> entries = new TreeMap<>();
    schema.forEach(entry -> entries.put(entry.name(), entry));
    List<String> queries = new ArrayList<>();
    for (SchemaInfo entry : entries.values()) {
      if (entry instanceof SchemaInfo.Command command
          && (command.name().startsWith("query-") || command.name().startsWith("x-query-"))
          && entries.get(command.argType()) instanceof SchemaInfo.Object arguments
          && arguments.members().stream().allMatch(member -> member.default_().isPresent())) {
        queries.add(command.name());
      }
    }
    return queries;
  }

  private static String line(BufferedReader from) throws IOException {
    return Objects.requireNonNull(from.readLine(), "QEMU has ended");
  }

  private static QmpCommand<?> query(String name) throws ReflectiveOperationException {
    Class<?> type = Class.forName("dev.stapes.qmp.qemu." + JavaNames.type(name));
    return (QmpCommand<?>) Objects.requireNonNull(type.getMethod("of").invoke(null));
  }

  private static @Nullable JsonNode written(@Nullable Object result) {
    if (result instanceof QmpValue value) {
      return value.toJson();
    } else if (result instanceof List<?> list) {
      ArrayNode array = JsonNodeFactory.instance.arrayNode();
      list.forEach(each -> array.add(written(each)));
      return array;
    } else if (result instanceof QmpEnum value) {
      return JsonNodeFactory.instance.textNode(value.text());
    }
    return (JsonNode) result;
  }

  /** One command after the other. */
  private record Session(BufferedReader from, BufferedWriter to) {
    /** The whole answer. */
    JsonNode returned(QmpCommand<?> command) throws IOException {
      ObjectNode message = JsonNodeFactory.instance.objectNode();
      message.put("execute", command.commandName());
      message.set("arguments", command.arguments());
      to.write(message + "\n");
      to.flush();
      while (true) {
        JsonNode answer = new ObjectMapper().readTree(line(from));
        if (!answer.has("event")) {
          return answer;
        }
      }
    }
  }
}
