package dev.stapes.internal.events;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.Event;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class EventBusTest {
  private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");
  private static final Duration LONG = Duration.ofSeconds(30);

  private final EventBus bus = new EventBus(() -> NOON);
  private final BlockingQueue<Event> told = new LinkedBlockingQueue<>();

  /** A listener that stands at its first event until it is let go. */
  private final class Slow implements Consumer<Event> {
    final CountDownLatch entered = new CountDownLatch(1);
    final CountDownLatch released = new CountDownLatch(1);

    @Override
    public void accept(Event event) {
      entered.countDown();
      await(released);
      told.add(event);
    }
  }

  @AfterEach
  void close() {
    bus.close();
  }

  private static Event event(int number) {
    return Event.Lifecycle.of(NOON, "instance-started", "instance web-" + number, Map.of());
  }

  private static List<Event> events(int from, int to) {
    return IntStream.range(from, to).mapToObj(EventBusTest::event).toList();
  }

  private static void await(CountDownLatch latch) {
    try {
      assertTrue(latch.await(30, TimeUnit.SECONDS));
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private List<Event> told(int count) throws InterruptedException {
    List<Event> events = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Event event = told.poll(30, TimeUnit.SECONDS);
      assertTrue(event != null, () -> "only " + events);
      events.add(event);
    }
    return events;
  }

  @Test
  void events_are_told_in_order() throws InterruptedException {
    bus.subscribe(told::add);
    events(0, 500).forEach(bus::publish);
    assertEquals(events(0, 500), told(500));
  }

  @Test
  void all_listeners_are_told_in_the_same_order_whoever_publishes() throws Exception {
    List<Event> first = new ArrayList<>();
    List<Event> second = new ArrayList<>();
    bus.subscribe(first::add, 4000);
    bus.subscribe(second::add, 4000);
    List<Thread> publishers = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      int base = i * 1000;
      Thread publisher = new Thread(() -> events(base, base + 1000).forEach(bus::publish));
      publisher.start();
      publishers.add(publisher);
    }
    for (Thread publisher : publishers) {
      publisher.join();
    }
    bus.close();
    assertEquals(4000, first.size());
    assertEquals(first, second);
  }

  @Test
  void a_listener_is_not_told_what_was_published_before() throws InterruptedException {
    bus.publish(event(1));
    bus.subscribe(told::add);
    bus.publish(event(2));
    assertEquals(events(2, 3), told(1));
  }

  @Test
  void a_slow_listener_blocks_neither_the_publisher_nor_the_others() throws InterruptedException {
    Slow slow = new Slow();
    bus.subscribe(slow);
    BlockingQueue<Event> others = new LinkedBlockingQueue<>();
    bus.subscribe(others::add);
    bus.publish(event(0));
    await(slow.entered);
    events(1, 10).forEach(bus::publish);
    for (Event expected : events(0, 10)) {
      assertEquals(expected, others.poll(30, TimeUnit.SECONDS));
    }
    slow.released.countDown();
    assertEquals(events(0, 10), told(10));
  }

  @Test
  void a_listener_that_falls_behind_is_told_how_many_it_missed_and_then_the_newest()
      throws InterruptedException {
    Slow slow = new Slow();
    bus.subscribe(slow, 10);
    bus.publish(event(0));
    await(slow.entered);
    events(1, 26).forEach(bus::publish);
    slow.released.countDown();
    List<Event> expected = new ArrayList<>(events(0, 1));
    expected.add(new Event.Missed(NOON, 15));
    expected.addAll(events(16, 26));
    assertEquals(expected, told(12));
    bus.publish(event(26));
    assertEquals(events(26, 27), told(1));
  }

  @Test
  void a_listener_that_throws_is_told_the_next_event() throws InterruptedException {
    bus.subscribe(
        event -> {
          told.add(event);
          throw new IllegalStateException("listener");
        });
    bus.subscribe(
        event -> {
          told.add(event);
          throw new AssertionError("listener");
        });
    events(0, 3).forEach(bus::publish);
    assertEquals(6, told(6).size());
  }

  @Test
  void a_listener_that_interrupts_its_thread_is_told_the_next_event() throws InterruptedException {
    bus.subscribe(
        event -> {
          assertFalse(Thread.currentThread().isInterrupted());
          told.add(event);
          Thread.currentThread().interrupt();
        });
    events(0, 3).forEach(bus::publish);
    assertEquals(events(0, 3), told(3));
  }

  @Test
  void after_close_of_a_subscription_its_listener_is_not_called() throws InterruptedException {
    BlockingQueue<Event> others = new LinkedBlockingQueue<>();
    Subscription subscription = bus.subscribe(told::add);
    bus.subscribe(others::add);
    bus.publish(event(0));
    told(1);
    subscription.close();
    subscription.close();
    bus.publish(event(1));
    others.take();
    others.take();
    assertTrue(told.isEmpty());
  }

  @Test
  void close_of_a_subscription_waits_for_the_call_that_is_under_way() throws InterruptedException {
    Slow slow = new Slow();
    Subscription subscription = bus.subscribe(slow);
    events(0, 5).forEach(bus::publish);
    await(slow.entered);
    Thread closer = new Thread(subscription::close);
    closer.start();
    closer.interrupt();
    slow.released.countDown();
    closer.join();
    assertFalse(told.isEmpty(), "the first call had ended");
    int calls = told.size();
    bus.publish(event(9));
    bus.close();
    assertEquals(calls, told.size());
  }

  @Test
  void a_listener_can_close_its_own_subscription_and_the_bus() throws InterruptedException {
    CompletableFuture<Subscription> own = new CompletableFuture<>();
    own.complete(
        bus.subscribe(
            event -> {
              own.join().close();
              bus.close();
              told.add(event);
            }));
    bus.publish(event(0));
    bus.publish(event(1));
    assertEquals(events(0, 1), told(1));
    bus.close();
    assertTrue(told.isEmpty());
  }

  @Test
  void close_tells_what_was_published_before_and_leaves_no_thread() throws InterruptedException {
    BlockingQueue<Thread> threads = new LinkedBlockingQueue<>();
    bus.subscribe(
        event -> {
          told.add(event);
          threads.add(Thread.currentThread());
        });
    events(0, 100).forEach(bus::publish);
    bus.close();
    assertEquals(100, told.size());
    assertFalse(threads.take().isAlive());
    bus.publish(event(100));
    assertEquals(100, told.size());
    StapesException error = assertThrows(StapesException.class, () -> bus.subscribe(told::add));
    assertEquals(Kind.UNAVAILABLE, error.kind());
  }

  @Test
  void a_queue_has_room_for_one_at_least() {
    StapesException error = assertThrows(StapesException.class, () -> bus.subscribe(told::add, 0));
    assertEquals(Kind.INVALID, error.kind());
    assertTrue(error.toString().contains("0"));
  }

  @Test
  void an_expected_event_is_found_though_it_came_before_the_wait() {
    try (Expectation expectation = bus.expect(event(7)::equals)) {
      events(0, 10).forEach(bus::publish);
      assertEquals(event(7), expectation.await(Duration.ZERO));
    }
  }

  @Test
  void waiting_ends_with_the_event() throws InterruptedException {
    Thread publisher = new Thread(() -> events(0, 10).forEach(bus::publish));
    try (Expectation expectation = bus.expect(event(9)::equals)) {
      publisher.start();
      assertEquals(event(9), expectation.await(LONG));
    }
    publisher.join();
  }

  @Test
  void waiting_ends_at_its_time() {
    StapesException error =
        assertThrows(StapesException.class, () -> bus.await(event -> true, Duration.ofMillis(1)));
    assertEquals(Kind.TIMED_OUT, error.kind());
  }

  @Test
  void waiting_ends_with_an_interrupt_and_the_thread_stays_interrupted() {
    Thread.currentThread().interrupt();
    StapesException error =
        assertThrows(StapesException.class, () -> bus.await(event -> true, LONG));
    assertTrue(Thread.interrupted());
    assertEquals(Kind.INTERRUPTED, error.kind());
  }

  @Test
  void waiting_ends_with_the_bus() throws InterruptedException {
    try (Expectation expectation = bus.expect(event -> false)) {
      Thread closer = new Thread(bus::close);
      closer.start();
      StapesException error = assertThrows(StapesException.class, () -> expectation.await(LONG));
      assertEquals(Kind.UNAVAILABLE, error.kind());
      closer.join();
    }
  }

  @Test
  void waiting_says_that_the_event_may_have_been_missed() {
    try (Expectation expectation = bus.expect(event(0)::equals)) {
      events(0, EventBus.DEFAULT_CAPACITY + 1).forEach(bus::publish);
      StapesException error = assertThrows(StapesException.class, () -> expectation.await(LONG));
      assertEquals(Kind.UNAVAILABLE, error.kind());
      assertTrue(error.toString().contains("1 were missed"));
    }
  }
}
