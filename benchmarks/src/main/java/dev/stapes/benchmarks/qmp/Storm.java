package dev.stapes.benchmarks.qmp;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stapes.benchmarks.Tool;
import dev.stapes.qmp.QmpClient;
import dev.stapes.qmp.QmpClosedException;
import dev.stapes.qmp.QmpCommand;
import dev.stapes.qmp.QmpDialect;
import dev.stapes.qmp.QmpEvent;
import dev.stapes.qmp.QmpListener;
import dev.stapes.qmp.QmpLoop;
import dev.stapes.qmp.QmpOptions;
import dev.stapes.qmp.RawCommand;
import dev.stapes.qmp.qemu.BlockIoErrorEvent;
import dev.stapes.qmp.qemu.Cont;
import dev.stapes.qmp.qemu.QemuEvent;
import dev.stapes.qmp.qemu.Stop;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** Many events at once, with the usual options and typed. */
final class Storm {
  private static final QmpDialect DIALECT = QmpDialect.monitor().events(QemuEvent::from);
  private static final long MOST_SECONDS = 120;

  /** Fewer than may wait. */
  private static final int UNDER_WAY = 512;

  private final QmpLoop loop;

  Storm(QmpLoop loop) {
    this.loop = loop;
  }

  /**
   * How it went.
   *
   * @param source who told them
   * @param ofPeer not QEMU
   * @param events how many were told
   * @param lost how many of them were not heard, or not in order
   * @param perSecond from the first to the last that was heard
   */
  record Heard(
      String source,
      @JsonProperty("of_peer") boolean ofPeer,
      int events,
      long lost,
      @JsonProperty("per_second") double perSecond) {}

  /** Counts. */
  private static final class Counter implements QmpListener<QmpEvent> {
    private final CountDownLatch done = new CountDownLatch(1);
    private final int expected;
    private long first;
    private long last;
    private int heard;
    private long lost;

    Counter(int expected) {
      this.expected = expected;
    }

    @Override
    public void event(QmpEvent event) {
      last = System.nanoTime();
      if (heard == 0) {
        first = last;
      }
      if (event instanceof BlockIoErrorEvent numbered
          && Integer.parseInt(numbered.reason()) != heard + lost) {
        lost++;
      }
      heard++;
      check();
    }

    @Override
    public void missed(long count) {
      lost += count;
      check();
    }

    @Override
    public void ended(QmpClosedException why) {
      done.countDown();
    }

    private void check() {
      if (heard + lost >= expected) {
        done.countDown();
      }
    }

    Heard result(String source, boolean ofPeer) throws InterruptedException {
      boolean all = done.await(MOST_SECONDS, TimeUnit.SECONDS);
      double seconds = (last - first) / 1e9;
      return new Heard(
          source,
          ofPeer,
          expected,
          all ? expected - heard : Math.max(1, expected - heard),
          heard < 2 ? 0 : (heard - 1) / seconds);
    }
  }

  /**
   * A process that speaks QMP tells them.
   *
   * @param perSecond how fast; 0 for as fast as they are taken
   */
  Heard ofPeer(Path directory, int count, int perSecond) throws IOException, InterruptedException {
    Path socket = directory.resolve("events");
    Process peer =
        new Tool("python3", Scripts.of("events.py"))
            .talk(directory.resolve("log"), socket.toString());
    try (BufferedReader output = peer.inputReader(StandardCharsets.UTF_8)) {
      if (output.readLine() == null) {
        throw new IOException("the peer ended: see " + directory.resolve("log"));
      }
      try (QmpClient client = QmpClient.connect(loop, socket, DIALECT, QmpOptions.defaults())) {
        Counter counter = new Counter(count);
        client.subscribe(QmpEvent.class, counter);
        ObjectNode arguments = JsonNodeFactory.instance.objectNode();
        client.execute(
            new RawCommand("storm", arguments.put("count", count).put("per-second", perSecond)));
        return counter.result(
            perSecond == 0 ? "a peer, as fast as it can" : "a peer, " + perSecond + "/s", true);
      }
    } finally {
      peer.destroyForcibly().waitFor();
    }
  }

  /** QEMU tells them: it is stopped and goes on in turns. */
  Heard ofQemu(Path monitor, int count) throws InterruptedException {
    try (QmpClient client = QmpClient.connect(loop, monitor, DIALECT, QmpOptions.defaults())) {
      Counter counter = new Counter(count);
      client.subscribe(QmpEvent.class, counter);
      Semaphore places = new Semaphore(UNDER_WAY);
      for (int i = 0; i < count; i++) {
        places.acquire();
        QmpCommand<Void> command = i % 2 == 0 ? Cont.of() : Stop.of();
        CompletableFuture<?> unused =
            client.executeAsync(command).whenComplete((done, failure) -> places.release());
      }
      return counter.result("QEMU, stop and cont", false);
    }
  }
}
