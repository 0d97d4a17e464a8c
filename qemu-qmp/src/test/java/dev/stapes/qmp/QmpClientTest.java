package dev.stapes.qmp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Commands and their answers, with a monitor that behaves well or not. */
@Timeout(60)
class QmpClientTest {
  private static final Duration SHORT = Duration.ofMillis(50);

  private final QmpLoop loop = QmpLoop.open();
  private final Path dir;

  QmpClientTest(@TempDir Path dir) {
    this.dir = dir;
  }

  @AfterEach
  void close() {
    loop.close();
  }

  private QmpClient connect(FakePeer peer) throws InterruptedException {
    return connect(peer, QmpOptions.defaults());
  }

  private QmpClient connect(FakePeer peer, QmpOptions options) throws InterruptedException {
    return QmpClient.connect(loop, peer.path(), QmpDialect.monitor(), options);
  }

  private static RawCommand raw(String name) {
    return new RawCommand(name);
  }

  @Test
  void the_greeting_is_kept_and_capabilities_are_switched_on() throws Exception {
    CompletableFuture<String> negotiated = new CompletableFuture<>();
    try (FakePeer peer =
            FakePeer.start(
                dir,
                it -> {
                  it.write(FakePeer.GREETING);
                  negotiated.complete(it.answer("{}"));
                  it.untilClosed();
                });
        QmpClient client = connect(peer)) {
      QmpGreeting greeting = client.greeting().orElseThrow();
      assertEquals("9.2.3", greeting.version().toString());
      assertEquals("fake", greeting.version().packaged());
      assertEquals(
          "{\"execute\":\"qmp_capabilities\",\"arguments\":{\"enable\":[\"oob\"]},\"id\":1}",
          negotiated.get(30, TimeUnit.SECONDS));
    }
  }

  @Test
  void who_waits_for_an_answer_reads_it_and_what_is_late_is_left_to_the_reader() throws Exception {
    CountDownLatch go = new CountDownLatch(1);
    CountDownLatch held = new CountDownLatch(1);
    CountDownLatch release = new CountDownLatch(1);
    try (FakePeer holding =
            FakePeer.monitor(
                dir,
                it -> {
                  go.await();
                  it.write(
                      "{\"event\": \"STOP\", \"timestamp\": {\"seconds\": 1, \"microseconds\": 0}}");
                  it.untilClosed();
                });
        FakePeer peer =
            FakePeer.monitor(
                dir,
                it -> {
                  String line = it.readLine();
                  for (; !line.contains("late"); line = it.readLine()) {
                    it.write("{\"return\": 1" + FakePeer.idOf(line) + "}");
                  }
                  release.await();
                  it.write("{\"return\": 2" + FakePeer.idOf(line) + "}");
                  it.untilClosed();
                });
        QmpClient holder = connect(holding);
        QmpClient client = connect(peer);
        QmpExpectation<QmpEvent> expectation =
            holder.expect(QmpEvent.class, event -> holds(held, release))) {
      go.countDown();
      held.await();
      assertEquals(1, inTime(client));
      CompletableFuture<Integer> late = new CompletableFuture<>();
      Thread waiting =
          new Thread(
              () -> {
                try {
                  late.complete(client.execute(raw("late")).intValue());
                } catch (InterruptedException | RuntimeException e) {
                  late.completeExceptionally(e);
                }
              });
      waiting.start();
      assertThrows(TimeoutException.class, () -> late.get(50, TimeUnit.MILLISECONDS));
      release.countDown();
      assertEquals(2, late.get(30, TimeUnit.SECONDS));
      expectation.await(Duration.ofSeconds(30));
    } finally {
      release.countDown();
    }
  }

  /** An answer that comes soon; one that takes longer is for the reader, who is held. */
  private static int inTime(QmpClient client) throws InterruptedException {
    while (true) {
      try {
        return client.execute(raw("soon"), SHORT).intValue();
      } catch (QmpTimeoutException e) {
        assertTrue(client.isOpen());
      }
    }
  }

  private static boolean holds(CountDownLatch held, CountDownLatch release) {
    held.countDown();
    try {
      return release.await(30, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      return false;
    }
  }

  @Test
  void commands_out_of_band_are_refused_where_they_are_not_offered() throws Exception {
    try (FakePeer peer =
            FakePeer.start(
                dir,
                it -> {
                  it.write(FakePeer.GREETING.replace("\"oob\"", ""));
                  assertFalse(it.answer("{}").contains("enable"));
                  it.untilClosed();
                });
        QmpClient client = connect(peer)) {
      IllegalStateException e =
          assertThrows(
              IllegalStateException.class, () -> client.executeOutOfBand(raw("migrate-pause")));
      assertTrue(String.valueOf(e.getMessage()).contains("out of band"), e.getMessage());
    }
  }

  @Test
  void a_command_out_of_band_overtakes_those_that_wait() throws Exception {
    try (FakePeer peer =
            FakePeer.monitor(
                dir,
                it -> {
                  String first = it.readLine();
                  String oob = it.readLine();
                  assertTrue(oob.contains("exec-oob"), oob);
                  it.write("{\"return\": {}" + FakePeer.idOf(oob) + "}");
                  it.write("{\"return\": 1" + FakePeer.idOf(first) + "}");
                  it.answer("2");
                  it.untilClosed();
                });
        QmpClient client = connect(peer, QmpOptions.defaults().mostInFlight(1))) {
      CompletableFuture<JsonNode> first = client.executeAsync(raw("a"));
      CompletableFuture<JsonNode> second = client.executeAsync(raw("b"));
      client.executeOutOfBand(raw("now"));
      assertEquals(1, first.get(30, TimeUnit.SECONDS).intValue());
      assertEquals(2, second.get(30, TimeUnit.SECONDS).intValue());
    }
  }

  @Test
  void answers_are_matched_by_number_whatever_their_order() throws Exception {
    try (FakePeer peer =
            FakePeer.monitor(
                dir,
                it -> {
                  List<String> lines = new ArrayList<>();
                  for (int i = 0; i < 5; i++) {
                    lines.add(it.readLine());
                  }
                  it.write("{\"return\": 0, \"id\": 4711}{\"return\": 0, \"id\": \"x\"}");
                  it.write("{\"return\": 0, \"id\": 1e300, \"more\": [{}]}\n");
                  for (int i = 4; i >= 0; i--) {
                    String id = FakePeer.idOf(lines.get(i));
                    it.write("{\"unknown\": {}" + id + ", \"return\": " + i + "}");
                  }
                  it.untilClosed();
                });
        QmpClient client = connect(peer)) {
      List<CompletableFuture<JsonNode>> answers = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        answers.add(client.executeAsync(raw("c" + i)));
      }
      for (int i = 0; i < 5; i++) {
        assertEquals(i, answers.get(i).get(30, TimeUnit.SECONDS).intValue());
      }
    }
  }

  @Test
  void a_command_has_a_number_only_while_another_one_is_under_way() throws Exception {
    List<String> lines = new CopyOnWriteArrayList<>();
    try (FakePeer peer =
            FakePeer.monitor(
                dir,
                it -> {
                  lines.add(it.readLine());
                  it.write("{\"return\": 1}");
                  lines.add(it.readLine());
                  lines.add(it.readLine());
                  it.write("{\"return\": 2" + FakePeer.idOf(lines.get(2)) + "}");
                  it.write("{\"return\": \"late\"" + FakePeer.idOf(lines.get(1)) + "}");
                  lines.add(it.readLine());
                  it.write("{\"return\": 3" + FakePeer.idOf(lines.get(3)) + "}");
                  it.untilClosed();
                });
        QmpClient client = connect(peer)) {
      assertEquals(1, client.execute(raw("a")).intValue());
      assertThrows(QmpTimeoutException.class, () -> client.execute(raw("slow"), SHORT));
      assertEquals(2, client.execute(raw("b")).intValue());
      assertEquals(3, client.execute(raw("c")).intValue());
      assertEquals(4, lines.size());
      assertEquals(List.of("{\"execute\":\"a\"}", "{\"execute\":\"slow\"}"), lines.subList(0, 2));
      assertTrue(lines.get(2).startsWith("{\"execute\":\"b\",\"id\":"), lines.get(2));
      assertTrue(lines.get(3).startsWith("{\"execute\":\"c\""), lines.get(3));
    }
  }

  @Test
  void no_more_commands_are_under_way_than_may_and_no_more_wait() throws Exception {
    CountDownLatch go = new CountDownLatch(1);
    try (FakePeer peer =
            FakePeer.monitor(
                dir,
                it -> {
                  String first = it.readLine();
                  String second = it.readLine();
                  go.await();
                  it.write("{\"return\": 0" + FakePeer.idOf(first) + "}");
                  it.write("{\"return\": 1" + FakePeer.idOf(second) + "}");
                  it.answer("2");
                  it.answer("3");
                  it.untilClosed();
                });
        QmpClient client = connect(peer, QmpOptions.defaults().mostInFlight(2).mostWaiting(2))) {
      List<CompletableFuture<JsonNode>> answers = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        answers.add(client.executeAsync(raw("c" + i)));
      }
      assertThrows(QmpBusyException.class, () -> client.executeAsync(raw("one-too-many")));
      assertThrows(QmpBusyException.class, () -> client.execute(raw("one-too-many")));
      go.countDown();
      for (int i = 0; i < 4; i++) {
        assertEquals(i, answers.get(i).get(30, TimeUnit.SECONDS).intValue());
      }
    }
  }

  @Test
  void a_late_answer_is_dropped_and_the_connection_stays_usable() throws Exception {
    CountDownLatch late = new CountDownLatch(1);
    try (FakePeer peer =
            FakePeer.monitor(
                dir,
                it -> {
                  String slow = it.readLine();
                  late.await();
                  it.write("{\"return\": \"late\"" + FakePeer.idOf(slow) + "}");
                  it.answer("\"next\"");
                  it.untilClosed();
                });
        QmpClient client = connect(peer, QmpOptions.defaults().mostInFlight(1))) {
      QmpTimeoutException e =
          assertThrows(QmpTimeoutException.class, () -> client.execute(raw("slow"), SHORT));
      assertTrue(String.valueOf(e.getMessage()).endsWith("slow: no answer within 50 ms"));
      late.countDown();
      assertEquals("next", client.execute(raw("next")).textValue());
    }
  }

  @Test
  void a_caller_that_is_interrupted_leaves_the_connection_usable() throws Exception {
    CountDownLatch reached = new CountDownLatch(1);
    CountDownLatch late = new CountDownLatch(1);
    try (FakePeer peer =
            FakePeer.monitor(
                dir,
                it -> {
                  String slow = it.readLine();
                  reached.countDown();
                  late.await();
                  it.write("{\"return\": \"late\"" + FakePeer.idOf(slow) + "}");
                  it.answer("\"next\"");
                  it.untilClosed();
                });
        QmpClient client = connect(peer)) {
      CompletableFuture<Boolean> interrupted = new CompletableFuture<>();
      Thread caller =
          new Thread(
              () -> {
                try {
                  client.execute(raw("slow"));
                  interrupted.complete(false);
                } catch (InterruptedException e) {
                  interrupted.complete(true);
                }
              });
      caller.start();
      reached.await();
      caller.interrupt();
      assertTrue(interrupted.get(30, TimeUnit.SECONDS));
      late.countDown();
      assertEquals("next", client.execute(raw("next")).textValue());
    }
  }

  @Test
  void a_future_that_is_cancelled_drops_its_answer_and_one_out_of_time_fails() throws Exception {
    try (FakePeer peer = FakePeer.monitor(dir, FakePeer::untilClosed);
        QmpClient client =
            connect(peer, QmpOptions.defaults().commandTimeout(Duration.ofSeconds(1)))) {
      CompletableFuture<JsonNode> cancelled = client.executeAsync(raw("a"));
      cancelled.cancel(true);
      assertThrows(CancellationException.class, cancelled::join);
      CompletableFuture<JsonNode> timed = client.executeAsync(raw("b"));
      ExecutionException e =
          assertThrows(ExecutionException.class, () -> timed.get(30, TimeUnit.SECONDS));
      assertInstanceOf(QmpTimeoutException.class, e.getCause());
    }
  }

  @Test
  void what_follows_on_a_future_never_runs_on_the_reader() throws Exception {
    try (FakePeer peer =
            FakePeer.monitor(
                dir,
                it -> {
                  it.answer("{}");
                  it.untilClosed();
                });
        QmpClient client = connect(peer)) {
      CompletableFuture<String> thread =
          client.executeAsync(raw("a")).thenApply(answer -> Thread.currentThread().getName());
      assertFalse(thread.get(30, TimeUnit.SECONDS).contains("reader"));
    }
  }

  @Test
  void an_error_without_a_number_belongs_to_the_oldest_command() throws Exception {
    try (FakePeer peer =
            FakePeer.monitor(
                dir,
                it -> {
                  it.readLine();
                  it.write("{\"error\": {\"class\": \"GenericError\", \"desc\": \"bad JSON\"}}");
                  it.untilClosed();
                });
        QmpClient client = connect(peer)) {
      QmpCommandException e =
          assertThrows(QmpCommandException.class, () -> client.execute(raw("a")));
      assertEquals("GenericError", e.errorClass());
      assertEquals("bad JSON", e.description());
    }
  }

  @Test
  void secrets_in_arguments_are_in_no_message() throws Exception {
    ObjectNode arguments = JsonNodeFactory.instance.objectNode();
    arguments.put("username", "root").put("password", "hunter2");
    arguments.putObject("key-props").putArray("list").add("deep-secret");
    RawCommand command = new RawCommand("set-password", arguments);
    assertFalse(command.toString().contains("hunter2"));
    try (FakePeer peer =
            FakePeer.monitor(
                dir,
                it -> {
                  String id = FakePeer.idOf(it.readLine());
                  it.write("{\"error\": {\"class\": \"GenericError\", ");
                  it.write("\"desc\": \"root: hunter2 is bad, deep-secret too\"}");
                  it.write(id + "}");
                  it.untilClosed();
                });
        QmpClient client = connect(peer)) {
      QmpCommandException e =
          assertThrows(QmpCommandException.class, () -> client.execute(command));
      assertEquals("root: *** is bad, *** too", e.description());
      assertFalse(String.valueOf(e.getMessage()).contains("hunter2"));
    }
  }

  @Test
  void one_byte_at_a_time_is_as_good_as_all_at_once() throws Exception {
    try (FakePeer peer =
            FakePeer.start(
                dir,
                it -> {
                  slowly(it, FakePeer.GREETING);
                  slowly(it, "{\"return\":{}" + FakePeer.idOf(it.readLine()) + "}\r\n");
                  slowly(it, "\r\n{\"return\":[1]" + FakePeer.idOf(it.readLine()) + "}");
                  it.untilClosed();
                });
        QmpClient client = connect(peer)) {
      assertEquals(1, client.execute(raw("a")).size());
    }
  }

  private static void slowly(FakePeer peer, String text) throws IOException {
    for (int i = 0; i < text.length(); i++) {
      peer.write(text.substring(i, i + 1));
    }
  }
}
