package dev.stapes.qmp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stapes.linux.Fd;
import dev.stapes.linux.ffi.Syscalls;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class GuestAgentTest {
  private static final Duration SHORT = Duration.ofMillis(50);
  private static final byte[] DELIMITER = {(byte) 0xFF};

  private final QmpLoop loop = QmpLoop.open();
  private final Path dir;

  GuestAgentTest(@TempDir Path dir) {
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
    return QmpClient.connect(loop, peer.path(), QmpDialect.guestAgent(), options);
  }

  /** Reads the delimiter and the command to meet, and returns its number. */
  private static String readMeeting(FakePeer peer) throws IOException {
    assertEquals(0xFF, peer.read());
    String line = peer.readLine();
    assertTrue(line.contains("guest-sync-delimited"), line);
    return line.replaceAll("[^0-9]", "");
  }

  private static void meet(FakePeer peer) throws IOException {
    String number = readMeeting(peer);
    peer.write(DELIMITER);
    peer.write("{\"return\": " + number + "}\n");
  }

  @Test
  void stale_output_is_dropped_up_to_the_number_that_was_asked_for() throws Exception {
    try (FakePeer peer =
            FakePeer.start(
                dir,
                it -> {
                  String number = readMeeting(it);
                  it.write("rubbish \0 {\"return\": " + number + "}{\"return\": {\"half\": ");
                  it.write(DELIMITER);
                  it.write("{\"return\": 12}\n{\"error\": {}}\n");
                  it.write(DELIMITER);
                  it.write("not JSON");
                  it.write(DELIMITER);
                  it.write("{\"return\": " + number + "}\n");
                  it.readLine();
                  it.write("{\"return\": \"yes\"}\n");
                  it.untilClosed();
                });
        QmpClient client = connect(peer)) {
      assertTrue(client.greeting().isEmpty());
      assertEquals("yes", client.execute(new RawCommand("guest-ping")).textValue());
    }
  }

  @Test
  void a_guest_that_is_not_there_is_told() throws Exception {
    try (FakePeer peer = FakePeer.start(dir, FakePeer::untilClosed)) {
      QmpTimeoutException e =
          assertThrows(
              QmpTimeoutException.class,
              () -> connect(peer, QmpOptions.defaults().connectTimeout(SHORT)).close());
      assertEquals(peer.path() + ": the guest agent does not answer within 50 ms", e.getMessage());
      peer.join();
    }
  }

  @Test
  void after_a_timeout_both_sides_meet_again_before_the_next_command() throws Exception {
    try (FakePeer peer =
            FakePeer.start(
                dir,
                it -> {
                  meet(it);
                  it.readLine();
                  String number = readMeeting(it);
                  it.write("{\"return\": \"late\"}\n");
                  it.write(DELIMITER);
                  it.write("{\"return\": " + number + "}\n");
                  it.answer("\"next\"");
                  it.untilClosed();
                });
        QmpClient client = connect(peer)) {
      assertThrows(QmpTimeoutException.class, () -> client.execute(new RawCommand("slow"), SHORT));
      assertEquals("next", client.execute(new RawCommand("next")).textValue());
    }
  }

  @Test
  void garbage_fails_the_command_and_leaves_the_connection_usable() throws Exception {
    try (FakePeer peer =
            FakePeer.start(
                dir,
                it -> {
                  meet(it);
                  it.readLine();
                  it.write("\0\0\0 garbage\n");
                  meet(it);
                  it.readLine();
                  it.write("{\"return\": \"" + "x".repeat(100_000));
                  meet(it);
                  it.answer("\"next\"");
                  it.untilClosed();
                });
        QmpClient client = connect(peer, QmpOptions.defaults().largestMessage(50_000))) {
      assertThrows(QmpProtocolException.class, () -> client.execute(new RawCommand("a")));
      assertThrows(QmpProtocolException.class, () -> client.execute(new RawCommand("b")));
      assertEquals("next", client.execute(new RawCommand("next")).textValue());
    }
  }

  @Test
  void one_command_is_under_way_at_a_time() throws Exception {
    try (FakePeer peer =
            FakePeer.start(
                dir,
                it -> {
                  meet(it);
                  for (int i = 0; i < 5; i++) {
                    String line = it.readLine();
                    it.write("{\"return\": 0, \"id\": 4711}\n");
                    it.write("{\"return\": " + i + FakePeer.idOf(line) + "}\n");
                  }
                  it.untilClosed();
                });
        QmpClient client = connect(peer)) {
      List<CompletableFuture<JsonNode>> answers = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        answers.add(client.executeAsync(new RawCommand("a")));
      }
      for (int i = 0; i < 5; i++) {
        assertEquals(i, answers.get(i).get(30, TimeUnit.SECONDS).intValue());
      }
    }
  }

  @Test
  void a_command_without_an_answer_is_sent_and_both_sides_meet_again() throws Exception {
    try (FakePeer peer =
            FakePeer.start(
                dir,
                it -> {
                  meet(it);
                  assertTrue(it.readLine().contains("guest-shutdown"));
                  it.write("{\"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}}\n");
                  meet(it);
                  it.answer("\"still here\"");
                  it.untilClosed();
                });
        QmpClient client = connect(peer)) {
      client.send(new RawCommand("guest-shutdown"));
      assertEquals("still here", client.execute(new RawCommand("a")).textValue());
    }
  }

  @Test
  void what_a_guest_agent_has_not_is_refused_at_once() throws Exception {
    try (FakePeer peer =
            FakePeer.start(
                dir,
                it -> {
                  meet(it);
                  it.answer(
                      "{\"supported_commands\": [{\"name\": \"guest-ping\", \"enabled\": true},"
                          + " {\"name\": \"guest-exec\", \"enabled\": false}]}");
                  it.untilClosed();
                });
        QmpClient client = connect(peer);
        Fd fd = Fd.openDirectory(Syscalls.system(), dir)) {
      assertThrows(IllegalStateException.class, () -> client.executeOutOfBand(new RawCommand("a")));
      assertThrows(IllegalStateException.class, () -> client.getFd("a", fd));
      assertTrue(client.supports(new RawCommand("guest-ping")));
      assertFalse(client.supports(new RawCommand("guest-exec")));
    }
  }
}
