package dev.stapes.qemu.driver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.qmp.QmpClient;
import dev.stapes.qmp.QmpLoop;
import dev.stapes.qmp.QmpOptions;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/** A monitor that answers commands as a test says; all others with nothing. */
final class ScriptedQemu implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String GREETING =
      "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 0, \"minor\": 2, \"major\": 7},"
          + " \"package\": \"\"}, \"capabilities\": []}}";

  private final Map<String, Deque<String>> answers = new ConcurrentHashMap<>();
  private final Map<String, String> events = new ConcurrentHashMap<>();
  private final Map<String, String> refused = new ConcurrentHashMap<>();
  private final Set<String> ignored = ConcurrentHashMap.newKeySet();
  private final Set<String> last = ConcurrentHashMap.newKeySet();
  private final List<String> heard = new CopyOnWriteArrayList<>();
  private final ServerSocketChannel server;
  private final Thread thread;
  private final QmpLoop loop;
  private final QmpClient client;
  private final Monitor monitor;

  ScriptedQemu(Path directory) throws IOException, InterruptedException {
    Path socket = directory.resolve("monitor");
    Files.deleteIfExists(socket);
    server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    server.bind(UnixDomainSocketAddress.of(socket));
    thread = thread(this::serve);
    thread.start();
    loop = QmpLoop.open(Syscalls.system(), ScriptedQemu::thread);
    client = QmpClient.connect(loop, socket, Monitor.DIALECT, QmpOptions.defaults());
    monitor = new Monitor("instance vm", client);
  }

  private static Thread thread(Runnable task) {
    Thread thread = new Thread(task);
    thread.setDaemon(true);
    return thread;
  }

  Monitor monitor() {
    return monitor;
  }

  /** What reads from it. */
  QmpLoop loop() {
    return loop;
  }

  /** The connection below the monitor, for who is not a monitor. */
  QmpClient client() {
    return client;
  }

  /** Answers a command so; the last answer of several is given again and again. */
  ScriptedQemu answer(String command, String answer) {
    answers.computeIfAbsent(command, each -> new ArrayDeque<>()).add(answer);
    return this;
  }

  /** Answers a command with an error. */
  ScriptedQemu refuse(String command) {
    return refuse(command, "not so");
  }

  /** The same with what it says then. */
  ScriptedQemu refuse(String command, String why) {
    refused.put(command, why);
    return this;
  }

  /** Closes the connection instead of an answer. */
  ScriptedQemu hangUp(String command) {
    last.add(command);
    return this;
  }

  /** Never answers a command. */
  ScriptedQemu ignore(String command) {
    ignored.add(command);
    return this;
  }

  /** Tells of an event after it has answered a command. */
  void tell(String command, String event) {
    events.put(command, event);
  }

  /** The commands that it was given, in their order. */
  List<String> heard() {
    return List.copyOf(heard);
  }

  private void serve() {
    try (SocketChannel channel = server.accept();
        OutputStream out = Channels.newOutputStream(channel)) {
      write(out, GREETING);
      try (MappingIterator<JsonNode> commands =
          JSON.readerFor(JsonNode.class).readValues(Channels.newInputStream(channel))) {
        JsonNode command = JSON.nullNode();
        while (!last.contains(command.path("execute").asText()) && commands.hasNextValue()) {
          command = commands.nextValue();
          answer(out, command);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void answer(OutputStream out, JsonNode command) throws IOException {
    String name = command.path("execute").asText();
    String end = command.has("id") ? ", \"id\": " + command.get("id") + "}" : "}";
    if (!name.equals("qmp_capabilities")) {
      heard.add(name);
    }
    if (ignored.contains(name) || last.contains(name)) {
      return;
    }
    String why = refused.get(name);
    if (why != null) {
      write(out, "{\"error\": {\"class\": \"GenericError\", \"desc\": \"" + why + "\"}" + end);
      return;
    }
    Deque<String> mine = answers.getOrDefault(name, new ArrayDeque<>(List.of("{}")));
    write(out, "{\"return\": " + (mine.size() > 1 ? mine.remove() : mine.element()) + end);
    String event = events.get(name);
    if (event != null) {
      write(out, event);
    }
  }

  private static void write(OutputStream out, String text) throws IOException {
    out.write((text + "\r\n").getBytes(StandardCharsets.UTF_8));
    out.flush();
  }

  @Override
  public void close() throws IOException, InterruptedException {
    monitor.close();
    loop.close();
    server.close();
    thread.join();
  }
}
