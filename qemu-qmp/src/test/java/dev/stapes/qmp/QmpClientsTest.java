package dev.stapes.qmp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Several clients of one loop. */
@Timeout(60)
class QmpClientsTest {
  private static final Duration SHORT = Duration.ofMillis(50);

  private final QmpLoop loop = QmpLoop.open();
  private final Path dir;

  QmpClientsTest(@TempDir Path dir) {
    this.dir = dir;
  }

  @AfterEach
  void close() {
    loop.close();
  }

  private QmpClient connect(FakePeer peer) throws InterruptedException {
    return QmpClient.connect(loop, peer.path(), QmpDialect.monitor(), QmpOptions.defaults());
  }

  @Test
  void a_peer_that_does_not_read_holds_up_nobody_else() throws Exception {
    RawCommand large =
        new RawCommand(
            "large", JsonNodeFactory.instance.objectNode().put("x", "y".repeat(1 << 20)));
    CountDownLatch read = new CountDownLatch(1);
    try (FakePeer stuck =
            FakePeer.monitor(
                dir,
                it -> {
                  read.await();
                  it.answer("\"at last\"");
                  it.untilClosed();
                });
        FakePeer other =
            FakePeer.monitor(
                dir,
                it -> {
                  it.answer("1");
                  it.untilClosed();
                });
        QmpClient first = connect(stuck);
        QmpClient second = connect(other)) {
      CompletableFuture<JsonNode> answer = first.executeAsync(large);
      assertThrows(QmpTimeoutException.class, () -> first.execute(large, SHORT));
      assertEquals(1, second.execute(new RawCommand("a")).intValue());
      read.countDown();
      assertEquals("at last", answer.get(30, TimeUnit.SECONDS).textValue());
    }
  }

  @Test
  void many_clients_need_two_threads() throws Exception {
    List<FakePeer> peers = new ArrayList<>();
    List<QmpClient> clients = new ArrayList<>();
    try {
      for (int i = 0; i < 50; i++) {
        FakePeer peer =
            FakePeer.monitor(
                dir,
                it -> {
                  it.answer("{}");
                  it.untilClosed();
                });
        peers.add(peer);
        clients.add(connect(peer));
      }
      for (QmpClient client : clients) {
        client.execute(new RawCommand("a"));
      }
      long threads =
          Thread.getAllStackTraces().keySet().stream()
              .filter(thread -> thread.getName().startsWith("stapes-qmp"))
              .count();
      assertEquals(2, threads);
    } finally {
      loop.close();
      for (FakePeer peer : peers) {
        peer.close();
      }
    }
    for (QmpClient client : clients) {
      QmpClosedException e =
          assertThrows(QmpClosedException.class, () -> client.execute(new RawCommand("a")));
      assertEquals("the QMP loop was closed", e.reason());
    }
  }
}
