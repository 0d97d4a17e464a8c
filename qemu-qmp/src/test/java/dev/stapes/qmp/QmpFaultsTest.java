package dev.stapes.qmp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.UnixSocket;
import dev.stapes.linux.ffi.Syscalls;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Connections that do not come about, and those that end. */
@Timeout(60)
class QmpFaultsTest {
  private static final QmpOptions OPTIONS = QmpOptions.defaults();

  private final QmpLoop loop = QmpLoop.open();
  private final Path dir;

  QmpFaultsTest(@TempDir Path dir) {
    this.dir = dir;
  }

  @AfterEach
  void close() {
    loop.close();
  }

  private QmpClient connect(FakePeer peer, QmpOptions options) throws InterruptedException {
    return QmpClient.connect(loop, peer.path(), QmpDialect.monitor(), options);
  }

  private QmpClosedException endOf(QmpClient client) {
    return assertThrows(QmpClosedException.class, () -> client.execute(new RawCommand("a")));
  }

  @Test
  void nobody_there_is_told_with_the_path() {
    Path nothing = dir.resolve("nothing");
    QmpConnectException e =
        assertThrows(
            QmpConnectException.class,
            () -> QmpClient.connect(loop, nothing, QmpDialect.monitor(), OPTIONS).close());
    assertEquals(nothing + ": cannot connect: ENOENT", e.getMessage());
    Path tooLong = dir.resolve("x".repeat(150));
    e =
        assertThrows(
            QmpConnectException.class,
            () -> QmpClient.connect(loop, tooLong, QmpDialect.monitor(), OPTIONS).close());
    assertTrue(String.valueOf(e.getMessage()).endsWith("ENAMETOOLONG"), e.getMessage());
  }

  @Test
  void a_peer_that_does_not_greet_in_time_is_told() throws Exception {
    QmpOptions hasty = OPTIONS.connectTimeout(Duration.ofMillis(50));
    try (FakePeer peer = FakePeer.start(dir, FakePeer::untilClosed)) {
      QmpTimeoutException e =
          assertThrows(QmpTimeoutException.class, () -> connect(peer, hasty).close());
      assertEquals(peer.path() + ": nobody greets within 50 ms", e.getMessage());
      peer.join();
    }
  }

  @Test
  void what_greets_with_something_else_is_no_monitor() throws Exception {
    for (String wrong :
        List.of("SSH-2.0-x\r\n", "HTTP/1.1 400\r\n", "{}\n", "{\"QMP\": 1}", "\0", "[1]")) {
      try (FakePeer peer =
          FakePeer.start(
              dir,
              it -> {
                it.write(wrong);
                it.untilClosed();
              })) {
        assertThrows(QmpProtocolException.class, () -> connect(peer, OPTIONS).close(), wrong);
        peer.join();
      }
    }
  }

  @Test
  void a_greeting_that_comes_twice_before_the_first_answer_is_one() throws Exception {
    try (FakePeer peer =
            FakePeer.start(
                dir,
                it -> {
                  it.write(FakePeer.GREETING + FakePeer.GREETING);
                  it.answer("{}");
                  it.answer("1");
                  it.untilClosed();
                });
        QmpClient client = connect(peer, OPTIONS)) {
      assertEquals("9.2.3", client.greeting().orElseThrow().version().toString());
      assertEquals(1, client.execute(new RawCommand("a")).intValue());
    }
    try (FakePeer peer =
            FakePeer.start(
                dir,
                it -> {
                  it.write(FakePeer.GREETING);
                  String first = it.readLine();
                  it.write(FakePeer.GREETING);
                  it.write("{\"return\": {}" + FakePeer.idOf(first) + "}\r\n");
                  it.answer("1");
                  it.untilClosed();
                });
        QmpClient client = connect(peer, OPTIONS)) {
      assertEquals(1, client.execute(new RawCommand("a")).intValue());
    }
  }

  @Test
  void what_is_said_later_and_is_no_answer_is_named() throws Exception {
    try (FakePeer peer =
            FakePeer.monitor(
                dir,
                it -> {
                  it.readLine();
                  it.write(FakePeer.GREETING);
                  it.untilClosed();
                });
        QmpClient client = connect(peer, OPTIONS)) {
      QmpClosedException e =
          assertThrows(QmpClosedException.class, () -> client.execute(new RawCommand("a")));
      assertTrue(e.reason().endsWith("with members [QMP]"), e.reason());
    }
  }

  @Test
  void a_peer_that_dies_at_any_byte_fails_what_waits() throws Exception {
    String all = FakePeer.GREETING + "{\"return\": {}, \"id\": 1}\r\n{\"return\": 1, \"id\": 2}";
    byte[] bytes = all.getBytes(StandardCharsets.UTF_8);
    for (int n = 0; n < bytes.length; n++) {
      byte[] part = Arrays.copyOf(bytes, n);
      try (FakePeer peer = FakePeer.start(dir, it -> it.write(part))) {
        QmpClosedException e =
            assertThrows(
                QmpClosedException.class,
                () -> {
                  try (QmpClient client = connect(peer, OPTIONS)) {
                    client.execute(new RawCommand("a"));
                  }
                },
                "after " + n + " bytes");
        assertTrue(
            e.reason().startsWith("the other side closed the connection")
                || e.reason().contains("ECONNRESET")
                || e.reason().contains("EPIPE"),
            e.reason());
      }
    }
  }

  @Test
  void what_another_client_asked_is_no_answer_to_the_first_command() throws Exception {
    try (FakePeer peer =
            FakePeer.start(
                dir,
                it -> {
                  it.write(FakePeer.GREETING);
                  String first = it.readLine();
                  it.write("{\"return\": \"stale\"}\r\n");
                  it.write("{\"error\": {\"class\": \"GenericError\", \"desc\": \"old\"}}\r\n");
                  it.write("{\"return\": {}" + FakePeer.idOf(first) + "}\r\n");
                  it.answer("1");
                  it.answer("2");
                  it.untilClosed();
                });
        QmpClient client = connect(peer, OPTIONS)) {
      assertEquals(1, client.execute(new RawCommand("a")).intValue());
      assertEquals(2, client.execute(new RawCommand("b")).intValue());
    }
  }

  @Test
  void a_message_that_is_cut_off_by_the_end_is_told() throws Exception {
    try (FakePeer peer =
            FakePeer.monitor(
                dir,
                it -> {
                  it.readLine();
                  it.write("{\"return\": {\"half\":");
                });
        QmpClient client = connect(peer, OPTIONS)) {
      assertEquals(
          "the other side closed the connection in the midst of a message", endOf(client).reason());
    }
  }

  @Test
  void a_message_beyond_the_limit_ends_the_connection_and_names_it() throws Exception {
    try (FakePeer peer =
            FakePeer.monitor(
                dir,
                it -> {
                  it.readLine();
                  it.write("{\"return\": \"" + "x".repeat(300_000));
                  it.untilClosed();
                });
        QmpClient client = connect(peer, OPTIONS.largestMessage(200_000))) {
      QmpClosedException e = endOf(client);
      assertInstanceOf(QmpProtocolException.class, e.getCause());
      assertTrue(e.reason().contains("200000 bytes, which is the limit"), e.reason());
      assertFalse(client.isOpen());
    }
  }

  @Test
  void garbage_ends_the_connection_and_no_other() throws Exception {
    CountDownLatch broken = new CountDownLatch(1);
    try (FakePeer good =
            FakePeer.monitor(
                dir,
                it -> {
                  it.answer("1");
                  it.untilClosed();
                });
        FakePeer bad =
            FakePeer.monitor(
                dir,
                it -> {
                  broken.await();
                  it.write("{\"event\": 7}\n");
                  it.untilClosed();
                });
        QmpClient first = connect(good, OPTIONS);
        QmpClient second = connect(bad, OPTIONS)) {
      CompletableFuture<?> waiting = second.executeAsync(new RawCommand("a"));
      broken.countDown();
      ExecutionException e =
          assertThrows(ExecutionException.class, () -> waiting.get(30, TimeUnit.SECONDS));
      assertInstanceOf(QmpClosedException.class, e.getCause());
      assertEquals(1, first.execute(new RawCommand("a")).intValue());
    }
  }

  @Test
  void closing_fails_what_waits_and_may_be_done_twice() throws Exception {
    try (FakePeer peer = FakePeer.monitor(dir, FakePeer::untilClosed);
        QmpClient client = connect(peer, OPTIONS)) {
      CompletableFuture<?> waiting = client.executeAsync(new RawCommand("a"));
      client.close();
      client.close();
      ExecutionException e =
          assertThrows(ExecutionException.class, () -> waiting.get(30, TimeUnit.SECONDS));
      QmpClosedException why = assertInstanceOf(QmpClosedException.class, e.getCause());
      assertEquals("it was closed here", why.reason());
      assertThrows(QmpClosedException.class, () -> client.executeAsync(new RawCommand("a")));
      peer.join();
    }
  }

  @Test
  void a_loop_that_is_closed_leaves_no_thread_and_takes_no_client() throws Exception {
    long before = descriptors();
    for (int i = 0; i < 20; i++) {
      QmpLoop other = QmpLoop.open();
      other.close();
      other.close();
      UnixSocket.Pair pair = UnixSocket.pair(Syscalls.system());
      assertThrows(
          IllegalStateException.class,
          () -> QmpClient.over(other, pair.one(), "pair", QmpDialect.monitor(), OPTIONS).close());
      pair.close();
    }
    assertTrue(descriptors() < before + 20);
  }

  private static long descriptors() throws IOException {
    try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
      return all.count();
    }
  }
}
