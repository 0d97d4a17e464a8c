package dev.stapes.qmp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stapes.linux.Fd;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.Signal;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.testkit.RequiresTool;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The client with QEMU itself. */
@RequiresTool("qemu-system-x86_64")
@Timeout(120)
class QemuMonitorIT {
  private static final Duration SOON = Duration.ofSeconds(30);

  private final Path dir;

  QemuMonitorIT(@TempDir Path dir) {
    this.dir = dir;
  }

  private static QmpClient connect(QmpLoop loop, RealQemu qemu) throws InterruptedException {
    QmpOptions patient = QmpOptions.defaults().connectTimeout(Duration.ofSeconds(60));
    return QmpClient.connect(loop, qemu.socket(), QmpDialect.monitor(), patient);
  }

  private static ObjectNode object() {
    return JsonNodeFactory.instance.objectNode();
  }

  private static RawCommand raw(String name) {
    return new RawCommand(name);
  }

  @Test
  void greets_takes_commands_and_tells_events() throws Exception {
    try (QmpLoop loop = QmpLoop.open();
        RealQemu qemu = RealQemu.start(dir);
        QmpClient client = connect(loop, qemu)) {
      QmpGreeting greeting = client.greeting().orElseThrow();
      assertTrue(greeting.version().isAtLeast(5, 0), greeting.toString());
      assertTrue(greeting.capabilities().contains("oob"));
      assertEquals("running", client.execute(raw("query-status")).path("status").asText());
      try (QmpExpectation<RawEvent> stop =
          client.expect(RawEvent.class, event -> event.eventName().equals("STOP"))) {
        client.execute(raw("stop"));
        assertTrue(stop.await(SOON).at().getEpochSecond() > 1_000_000_000L);
      }
    }
  }

  @Test
  void an_error_has_its_class_and_what_qemu_says() throws Exception {
    try (QmpLoop loop = QmpLoop.open();
        RealQemu qemu = RealQemu.start(dir);
        QmpClient client = connect(loop, qemu)) {
      QmpCommandException e =
          assertThrows(QmpCommandException.class, () -> client.execute(raw("no-such-command")));
      assertEquals("CommandNotFound", e.errorClass());
      assertEquals("no-such-command", e.commandName());
      // A NUL is refused before the command is read, and so without its number.
      ObjectNode nul = object().put("fdname", "a\0b");
      assertThrows(QmpCommandException.class, () -> client.execute(new RawCommand("closefd", nul)));
      assertEquals("running", client.execute(raw("query-status")).path("status").asText());
    }
  }

  @Test
  void many_threads_and_many_commands_under_way_at_once() throws Exception {
    try (QmpLoop loop = QmpLoop.open();
        RealQemu qemu = RealQemu.start(dir);
        QmpClient client = connect(loop, qemu)) {
      List<CompletableFuture<JsonNode>> answers = new ArrayList<>();
      for (int i = 0; i < 500; i++) {
        answers.add(client.executeAsync(raw(i % 2 == 0 ? "query-status" : "query-version")));
      }
      for (int i = 0; i < answers.size(); i++) {
        JsonNode answer = answers.get(i).get(30, TimeUnit.SECONDS);
        assertTrue(answer.has(i % 2 == 0 ? "status" : "package"), answer.toString());
      }
    }
  }

  @Test
  void a_command_out_of_band_is_answered() throws Exception {
    try (QmpLoop loop = QmpLoop.open();
        RealQemu qemu = RealQemu.start(dir);
        QmpClient client = connect(loop, qemu)) {
      ObjectNode none = object();
      none.putArray("instances");
      client.executeOutOfBand(new RawCommand("yank", none));
      assertTrue(client.introspection().isOutOfBand("yank"));
      assertFalse(client.introspection().isOutOfBand("query-status"));
      assertThrows(QmpCommandException.class, () -> client.executeOutOfBand(raw("query-status")));
    }
  }

  @Test
  void a_descriptor_becomes_a_disk() throws Exception {
    Path image = Files.write(dir.resolve("disk"), new byte[1 << 20]);
    try (QmpLoop loop = QmpLoop.open();
        RealQemu qemu = RealQemu.start(dir);
        QmpClient client = connect(loop, qemu)) {
      FdsetEntry entry;
      try (Fd fd = Fd.open(Syscalls.system(), image, Set.of(OpenFlag.READ, OpenFlag.WRITE))) {
        entry = client.addFd(fd);
      }
      Files.delete(image);
      ObjectNode disk = object().put("driver", "file").put("node-name", "disk");
      disk.put("filename", entry.path().toString());
      client.execute(new RawCommand("blockdev-add", disk));
      JsonNode nodes = client.execute(raw("query-named-block-nodes"));
      assertEquals("disk", nodes.path(0).path("node-name").asText());
      assertEquals(1 << 20, nodes.path(0).path("image").path("virtual-size").asInt());
    }
  }

  @Test
  void descriptors_of_many_threads_arrive_each_with_its_command() throws Exception {
    try (QmpLoop loop = QmpLoop.open();
        RealQemu qemu = RealQemu.start(dir);
        QmpClient client = connect(loop, qemu)) {
      List<Path> files = new ArrayList<>();
      List<CompletableFuture<FdsetEntry>> entries = new ArrayList<>();
      List<CompletableFuture<JsonNode>> others = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        Path file = Files.write(dir.resolve("disk" + i), new byte[512 * (i + 1)]);
        files.add(file);
        entries.add(CompletableFuture.supplyAsync(() -> pass(client, file)));
        others.add(client.executeAsync(raw("query-status")));
      }
      Set<Long> sets = new TreeSet<>();
      for (int i = 0; i < files.size(); i++) {
        FdsetEntry entry = entries.get(i).get(30, TimeUnit.SECONDS);
        sets.add(entry.fdset());
        others.get(i).get(30, TimeUnit.SECONDS);
        ObjectNode disk = object().put("driver", "file").put("node-name", "n" + i);
        disk.put("filename", entry.path().toString()).put("read-only", true);
        client.execute(new RawCommand("blockdev-add", disk));
      }
      assertEquals(20, sets.size());
      for (JsonNode node : client.execute(raw("query-named-block-nodes"))) {
        int i = Integer.parseInt(node.path("node-name").asText().substring(1));
        assertEquals(512 * (i + 1), node.path("image").path("virtual-size").asInt());
      }
    }
  }

  private static FdsetEntry pass(QmpClient client, Path file) {
    try (Fd fd = Fd.open(Syscalls.system(), file, Set.of(OpenFlag.READ))) {
      return client.addFd(fd);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void a_named_descriptor_is_taken_by_its_name() throws Exception {
    try (QmpLoop loop = QmpLoop.open();
        RealQemu qemu = RealQemu.start(dir);
        QmpClient client = connect(loop, qemu);
        Fd fd = Fd.openWithoutWaiting(Syscalls.system(), dir, Set.of(OpenFlag.READ))) {
      client.getFd("mine", fd);
      client.execute(new RawCommand("closefd", object().put("fdname", "mine")));
      assertThrows(
          QmpCommandException.class,
          () -> client.execute(new RawCommand("closefd", object().put("fdname", "mine"))));
    }
  }

  @Test
  void what_qemu_can_do_is_known_before_it_is_asked_for() throws Exception {
    try (QmpLoop loop = QmpLoop.open();
        RealQemu qemu = RealQemu.start(dir);
        QmpClient client = connect(loop, qemu)) {
      QmpIntrospection can = client.introspection();
      assertTrue(can == client.introspection());
      assertTrue(can.commands().size() > 100);
      assertTrue(can.hasCommand("blockdev-add"));
      assertFalse(can.hasCommand("blockdev-subtract"));
      assertTrue(can.hasEvent("SHUTDOWN"));
      assertTrue(can.hasEventMember("SHUTDOWN", "guest"));
      assertTrue(can.hasArgument("blockdev-add", "node-name"));
      assertTrue(can.hasArgument("blockdev-add", "cache.direct"));
      assertTrue(can.hasArgument("blockdev-add", "pr-manager"));
      assertFalse(can.hasArgument("blockdev-add", "cache.indirect"));
      assertTrue(can.hasArgumentValue("blockdev-add", "discard", "unmap"));
      assertFalse(can.hasArgumentValue("blockdev-add", "discard", "keep"));
      assertTrue(can.hasArgumentValue("blockdev-add", "driver", "qcow2"));
      assertTrue(can.hasResultMember("query-status", "running"));
      assertTrue(can.hasResultMember("query-block", "inserted.image.filename"));
      assertTrue(client.supports(new RawCommand("getfd", object().put("fdname", "x"))));
      assertFalse(client.supports(new RawCommand("getfd", object().put("name", "x"))));
    }
  }

  @Test
  void quit_is_answered_and_then_the_connection_has_ended() throws Exception {
    try (QmpLoop loop = QmpLoop.open();
        RealQemu qemu = RealQemu.start(dir);
        QmpClient client = connect(loop, qemu)) {
      CompletableFuture<QmpClosedException> ended = new CompletableFuture<>();
      List<String> seen = new ArrayList<>();
      client.subscribe(
          QmpEvent.class,
          new QmpListener<>() {
            @Override
            public void event(QmpEvent event) {
              seen.add(event.eventName());
            }

            @Override
            public void ended(QmpClosedException why) {
              ended.complete(why);
            }
          });
      client.execute(raw("quit"));
      assertEquals(
          "the other side closed the connection", ended.get(30, TimeUnit.SECONDS).reason());
      assertEquals(List.of("SHUTDOWN"), seen);
      assertTrue(qemu.ends());
      assertThrows(QmpClosedException.class, () -> client.execute(raw("query-status")));
      assertFalse(client.isOpen());
    }
  }

  @Test
  void a_qemu_that_is_killed_fails_what_is_under_way() throws Exception {
    try (QmpLoop loop = QmpLoop.open();
        RealQemu qemu = RealQemu.start(dir);
        QmpClient client = connect(loop, qemu)) {
      qemu.signal(Signal.STOP);
      assertThrows(
          QmpTimeoutException.class,
          () -> client.execute(raw("query-status"), Duration.ofMillis(50)));
      qemu.signal(Signal.CONT);
      assertTrue(client.execute(raw("query-status")).path("running").asBoolean());
      qemu.signal(Signal.STOP);
      CompletableFuture<JsonNode> answer = client.executeAsync(raw("query-status"));
      qemu.signal(Signal.KILL);
      assertThrows(Exception.class, () -> answer.get(30, TimeUnit.SECONDS));
      assertTrue(answer.isCompletedExceptionally());
    }
  }

  @Test
  @RequiresTool("qemu-storage-daemon")
  void the_storage_daemon_speaks_the_same() throws Exception {
    Path image = Files.write(dir.resolve("disk"), new byte[4096]);
    try (QmpLoop loop = QmpLoop.open();
        RealQemu daemon = RealQemu.startStorageDaemon(dir);
        QmpClient client = connect(loop, daemon)) {
      assertTrue(client.introspection().hasCommand("block-export-add"));
      ObjectNode disk = object().put("driver", "file").put("node-name", "disk");
      client.execute(new RawCommand("blockdev-add", disk.put("filename", image.toString())));
      assertEquals(1, client.execute(raw("query-named-block-nodes")).size());
    }
  }
}
