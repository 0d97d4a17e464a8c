package dev.stapes.internal.operation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.internal.events.EventBus;
import dev.stapes.model.Event;
import dev.stapes.model.OperationInfo;
import dev.stapes.model.OperationInfo.Status;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class OperationLogTest {
  private final AtomicReference<Instant> now =
      new AtomicReference<>(Instant.parse("2026-01-01T12:00:00Z"));
  private final EventBus bus = new EventBus(now::get);
  private final AtomicLong lastId = new AtomicLong();
  private final OperationLog log = new OperationLog(bus, now::get, lastId::incrementAndGet);
  private final List<OperationInfo> published = new ArrayList<>();

  OperationLogTest() {
    bus.subscribe(event -> published.add(((Event.Operation) event).operation()));
  }

  @AfterEach
  void close() {
    bus.close();
  }

  /** What was published, once all has been told. */
  private List<OperationInfo> published() {
    bus.close();
    return published;
  }

  private void pass(Duration time) {
    now.updateAndGet(before -> before.plus(time));
  }

  private OperationInfo only() {
    assertEquals(1, log.list().size());
    return log.list().get(0);
  }

  @Test
  void an_operation_is_listed_while_it_runs_and_after_it() {
    String result =
        log.call(
            "instance-create",
            "instance web",
            Progress.NONE,
            progress -> {
              OperationInfo info = only();
              assertEquals(Status.RUNNING, info.status());
              assertEquals("instance-create", info.action());
              assertEquals("instance web", info.subject());
              assertEquals(now.get(), info.startedAt());
              assertEquals(-1, info.total());
              return "done";
            });
    assertEquals("done", result);
    assertEquals(Status.SUCCESS, only().status());
    assertEquals(Optional.of(only()), log.find(1));
    assertEquals(
        List.of(Status.RUNNING, Status.SUCCESS),
        published().stream().map(OperationInfo::status).toList());
  }

  @Test
  void a_failure_comes_out_as_it_is_and_is_written_down() {
    StapesException failure = StapesException.invalid("size", "too big: 9");
    assertSame(
        failure,
        assertThrows(
            StapesException.class,
            () -> log.run("a", "b", Progress.NONE, progress -> fail(failure))));
    assertEquals(Status.FAILURE, only().status());
    assertEquals(Optional.of("size: too big: 9"), only().error());
  }

  @Test
  void an_error_ends_the_operation_too() {
    AssertionError error = new AssertionError("bad");
    assertSame(
        error,
        assertThrows(
            AssertionError.class, () -> log.run("a", "b", Progress.NONE, progress -> fail(error))));
    assertEquals(Status.FAILURE, only().status());
  }

  private static void fail(Throwable failure) {
    if (failure instanceof RuntimeException e) {
      throw e;
    }
    throw (Error) failure;
  }

  @Test
  void progress_is_published_at_a_bounded_rate_and_told_to_the_listener_always() {
    AtomicInteger told = new AtomicInteger();
    log.run(
        "image-import",
        "image debian",
        (stage, done, total) -> told.incrementAndGet(),
        progress -> {
          for (int i = 0; i < 1000; i++) {
            pass(Duration.ofMillis(1));
            progress.update("unpack", i, 1000);
          }
          assertEquals(999, only().done());
        });
    assertEquals(1000, told.get());
    // Begin, end, and one per 100 of 1,000 milliseconds.
    assertEquals(12, published().size());
    assertEquals(99, published.get(1).done());
    assertEquals("unpack", published.get(1).stage());
    assertEquals(999, published.get(11).done(), "the end says how far it came");
  }

  @Test
  void a_clock_that_is_set_back_does_not_silence_progress() {
    log.run(
        "a",
        "b",
        Progress.NONE,
        progress -> {
          pass(Duration.ofHours(-1));
          progress.update("unpack", 1, 2);
        });
    assertEquals(3, published().size());
  }

  @Test
  void a_listener_that_throws_does_not_fail_the_operation() {
    AtomicInteger told = new AtomicInteger();
    Progress broken =
        (stage, done, total) -> {
          told.incrementAndGet();
          throw new IllegalStateException("listener");
        };
    log.run(
        "a",
        "b",
        broken,
        progress -> {
          progress.update("unpack", 1, 2);
          progress.update("unpack", 2, 2);
        });
    assertEquals(1, told.get());
    assertEquals(Status.SUCCESS, only().status());
  }

  @Test
  void progress_after_the_end_is_ignored() {
    CompletableFuture<Progress> kept = new CompletableFuture<>();
    log.run(
        "a",
        "b",
        Progress.NONE,
        progress -> {
          kept.complete(progress);
        });
    pass(Duration.ofSeconds(1));
    kept.join().update("late", 1, 1);
    assertEquals("", only().stage());
    assertEquals(2, published().size());
  }

  @Test
  void cancel_interrupts_the_work_and_nothing_after_it() throws InterruptedException {
    CountDownLatch working = new CountDownLatch(1);
    CompletableFuture<Boolean> interruptedAfter = new CompletableFuture<>();
    CompletableFuture<StapesException> failure = new CompletableFuture<>();
    Thread worker =
        new Thread(
            () -> {
              failure.complete(
                  assertThrows(
                      StapesException.class,
                      () -> log.run("a", "b", Progress.NONE, progress -> waitForever(working))));
              interruptedAfter.complete(Thread.currentThread().isInterrupted());
            });
    worker.start();
    working.await();
    log.cancel(1);
    worker.join();
    assertEquals(Kind.INTERRUPTED, failure.join().kind());
    assertEquals(false, interruptedAfter.join());
    assertEquals(Status.CANCELLED, only().status());
  }

  private static void waitForever(CountDownLatch working) {
    try {
      working.countDown();
      new CountDownLatch(1).await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(Kind.INTERRUPTED, "b", "interrupted", e);
    }
  }

  @Test
  void work_that_does_not_notice_its_cancellation_succeeds_and_leaves_no_interrupt() {
    log.run(
        "a",
        "b",
        Progress.NONE,
        progress -> {
          log.cancel(1);
          assertTrue(Thread.currentThread().isInterrupted());
        });
    assertFalse(Thread.interrupted());
    assertEquals(Status.SUCCESS, only().status());
  }

  @Test
  void what_fails_after_a_cancellation_was_cancelled() {
    assertThrows(
        StapesException.class,
        () ->
            log.run(
                "a",
                "b",
                Progress.NONE,
                progress -> {
                  log.cancel(1);
                  fail(new StapesException(Kind.UNAVAILABLE, "disk", "closed"));
                }));
    assertEquals(Status.CANCELLED, only().status());
  }

  @Test
  void an_interrupt_from_elsewhere_is_kept() {
    log.run(
        "a",
        "b",
        Progress.NONE,
        progress -> {
          Thread.currentThread().interrupt();
        });
    assertTrue(Thread.interrupted());
    Thread.currentThread().interrupt();
    log.run(
        "a",
        "b",
        Progress.NONE,
        progress -> {
          log.cancel(2);
        });
    assertTrue(Thread.interrupted());
  }

  @Test
  void an_operation_that_has_ended_cannot_be_cancelled() {
    log.run("a", "b", Progress.NONE, progress -> {});
    StapesException error = assertThrows(StapesException.class, () -> log.cancel(1));
    assertEquals(Kind.CONFLICT, error.kind());
    assertTrue(error.toString().contains("SUCCESS"));
    assertFalse(Thread.interrupted());
  }

  @Test
  void an_unknown_operation_cannot_be_cancelled() {
    StapesException error = assertThrows(StapesException.class, () -> log.cancel(7));
    assertEquals(Kind.NOT_FOUND, error.kind());
    assertEquals("operation 7", error.subject());
    assertEquals(Optional.empty(), log.find(7));
  }

  @Test
  void only_the_last_of_those_that_ended_are_remembered() {
    for (int i = 0; i < OperationLog.FINISHED + 10; i++) {
      log.run("a", "b", Progress.NONE, progress -> {});
    }
    assertEquals(OperationLog.FINISHED, log.list().size());
    assertEquals(11, log.list().get(0).id());
  }

  @Test
  void operations_within_each_other_end_each_for_itself() {
    log.run(
        "outer",
        "b",
        Progress.NONE,
        progress -> {
          log.run(
              "inner",
              "b",
              Progress.NONE,
              inner -> {
                log.cancel(2);
              });
          assertFalse(Thread.currentThread().isInterrupted(), "the outer one was not cancelled");
        });
    assertEquals(
        List.of(Status.SUCCESS, Status.SUCCESS),
        log.list().stream().map(OperationInfo::status).toList());
  }
}
