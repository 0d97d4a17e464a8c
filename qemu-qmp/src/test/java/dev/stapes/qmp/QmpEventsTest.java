package dev.stapes.qmp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class QmpEventsTest {
  private static final Duration SOON = Duration.ofSeconds(30);

  private final QmpLoop loop = QmpLoop.open();
  private final Path dir;

  QmpEventsTest(@TempDir Path dir) {
    this.dir = dir;
  }

  @AfterEach
  void close() {
    loop.close();
  }

  private record Tick(Instant at, int number) implements QmpEvent {
    @Override
    public String eventName() {
      return "TICK";
    }
  }

  private static QmpEvent decode(RawEvent raw) {
    if (raw.eventName().equals("BAD")) {
      throw new QmpProtocolException("bad");
    }
    return raw.eventName().equals("TICK") ? new Tick(raw.at(), raw.data().path("n").asInt()) : raw;
  }

  private QmpClient connect(FakePeer peer, QmpOptions options) throws InterruptedException {
    QmpDialect dialect = QmpDialect.monitor().events(QmpEventsTest::decode);
    return QmpClient.connect(loop, peer.path(), dialect, options);
  }

  private static String tick(int n) {
    return "{\"event\": \"TICK\", \"data\": {\"n\": "
        + n
        + "}, \"timestamp\": {\"seconds\": 1700000000, \"microseconds\": 250000}}\r\n";
  }

  /** Hears all, up to the end. */
  private static class Heard<E extends QmpEvent> implements QmpListener<E> {
    final List<E> events = new ArrayList<>();
    final CompletableFuture<String> end = new CompletableFuture<>();
    long lost;

    @Override
    public void event(E event) {
      events.add(event);
    }

    @Override
    public void missed(long count) {
      lost += count;
    }

    @Override
    public void ended(QmpClosedException why) {
      end.complete(why.reason());
    }
  }

  @Test
  void listeners_hear_the_events_of_their_type_and_then_the_end() throws Exception {
    CountDownLatch go = new CountDownLatch(1);
    try (FakePeer peer =
            FakePeer.monitor(
                dir,
                it -> {
                  go.await();
                  it.write(tick(1) + "{\"event\": \"OTHER\"}" + tick(2));
                  it.write("{\"event\": \"BAD\", \"timestamp\": {\"seconds\": -1}}\n");
                });
        QmpClient client = connect(peer, QmpOptions.defaults())) {
      Heard<Tick> ticks = new Heard<>();
      Heard<QmpEvent> all = new Heard<>();
      client.subscribe(
          QmpEvent.class,
          event -> {
            throw new IllegalStateException("fails");
          });
      client.subscribe(Tick.class, ticks);
      client.subscribe(QmpEvent.class, all);
      client.subscribe(QmpEvent.class, event -> assertTrue(false, "closed")).close();
      go.countDown();
      ticks.end.get(30, TimeUnit.SECONDS);
      all.end.get(30, TimeUnit.SECONDS);
      Instant at = Instant.ofEpochSecond(1_700_000_000, 250_000_000);
      assertEquals(List.of(new Tick(at, 1), new Tick(at, 2)), ticks.events);
      assertEquals(
          List.of("TICK", "OTHER", "TICK", "BAD"),
          all.events.stream().map(QmpEvent::eventName).toList());
      assertTrue(((RawEvent) all.events.get(1)).data().isEmpty());
      assertEquals(Instant.EPOCH, all.events.get(3).at());
      Heard<QmpEvent> late = new Heard<>();
      client.subscribe(QmpEvent.class, late);
      assertEquals(ticks.end.join(), late.end.get(30, TimeUnit.SECONDS));
    }
  }

  @Test
  void a_listener_that_keeps_up_loses_nothing() throws Exception {
    int count = 100_000;
    CountDownLatch go = new CountDownLatch(1);
    try (FakePeer peer =
            FakePeer.monitor(
                dir,
                it -> {
                  go.await();
                  for (int i = 0; i < count; i++) {
                    it.write(tick(i));
                  }
                });
        QmpClient client = connect(peer, QmpOptions.defaults().eventQueue(count))) {
      Heard<Tick> heard = new Heard<>();
      client.subscribe(Tick.class, heard);
      go.countDown();
      heard.end.get(50, TimeUnit.SECONDS);
      assertEquals(0, heard.lost);
      assertEquals(count, heard.events.size());
      for (int i = 0; i < count; i++) {
        assertEquals(i, heard.events.get(i).number());
      }
    }
  }

  @Test
  void a_slow_listener_blocks_no_command_and_is_told_what_it_missed() throws Exception {
    CountDownLatch entered = new CountDownLatch(1);
    CountDownLatch release = new CountDownLatch(1);
    try (FakePeer peer =
            FakePeer.monitor(
                dir,
                it -> {
                  it.write(tick(0));
                  it.readLine();
                  for (int i = 1; i < 100; i++) {
                    it.write(tick(i));
                  }
                  it.write("{\"return\": {}, \"id\": 2}");
                  it.untilClosed();
                });
        QmpClient client = connect(peer, QmpOptions.defaults().eventQueue(10))) {
      Heard<Tick> slow =
          new Heard<>() {
            @Override
            public void event(Tick event) {
              super.event(event);
              entered.countDown();
              try {
                release.await();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            }
          };
      client.subscribe(Tick.class, slow);
      // Events are told one after the other: when the answer is here, all 99 have come.
      client.execute(new RawCommand("a"));
      release.countDown();
      client.close();
      slow.end.get(30, TimeUnit.SECONDS);
      assertTrue(slow.events.size() >= 10, "" + slow.events.size());
      assertTrue(slow.lost >= 79, "" + slow.lost);
      assertTrue(slow.events.size() + slow.lost >= 99);
    }
  }

  @Test
  void an_event_is_expected_before_the_command_that_brings_it_about() throws Exception {
    try (FakePeer peer =
            FakePeer.monitor(
                dir,
                it -> {
                  String line = it.readLine();
                  it.write(tick(1) + tick(2) + tick(3));
                  it.write("{\"return\": {}" + FakePeer.idOf(line) + "}");
                  it.untilClosed();
                });
        QmpClient client = connect(peer, QmpOptions.defaults())) {
      try (QmpExpectation<Tick> second = client.expect(Tick.class, tick -> tick.number() == 2);
          QmpExpectation<RawEvent> never = client.expect(RawEvent.class, event -> true)) {
        assertFalse(second.isFulfilled());
        client.execute(new RawCommand("a"));
        assertEquals(2, second.await(SOON).number());
        assertTrue(second.isFulfilled());
        QmpTimeoutException e =
            assertThrows(QmpTimeoutException.class, () -> never.await(Duration.ofMillis(20)));
        assertTrue(String.valueOf(e.getMessage()).contains("no RawEvent within 20 ms"));
        client.close();
        assertThrows(QmpClosedException.class, () -> never.await(SOON));
      }
      assertThrows(QmpClosedException.class, () -> client.await(Tick.class, tick -> true, SOON));
    }
  }
}
