package dev.stapes.internal.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.internal.store.MemoryStateStore;
import dev.stapes.model.InstanceId;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Machine;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class LateThawsTest {
  private static final InstanceId ID = new InstanceId("abcd1234");
  private static final InstanceId OTHER = new InstanceId("efgh5678");
  private static final Intent INTENT = Intent.onVolumes("instance-copy", "vm", List.of());
  private static final Duration MOMENT = Duration.ofMillis(1);

  private final MemoryStateStore durable = new MemoryStateStore();
  private final MemoryStateStore fleeting = new MemoryStateStore();
  private final Catalog catalog = new Catalog(durable, fleeting);
  private final Background background = new Background("thaws", 1);
  private final Map<InstanceId, Machine> machines = new ConcurrentHashMap<>();
  private final AtomicInteger failures = new AtomicInteger();
  private final AtomicBoolean frozen = new AtomicBoolean();
  private volatile Runnable thaw = () -> {};
  private final BlockingQueue<String> asked = new LinkedBlockingQueue<>();
  private final LateThaws thaws =
      new LateThaws(
          catalog, background, id -> Optional.ofNullable(machines.get(id)), MOMENT, MOMENT);

  @AfterEach
  void close() {
    background.close();
    durable.close();
    fleeting.close();
  }

  private final class Guest implements Machine.FileSystems {
    @Override
    public void freeze() {
      throw new AssertionError();
    }

    @Override
    public void thaw() {
      asked.add(catalog.intents().isEmpty() ? "too late" : "thaw");
      thaw.run();
      if (failures.getAndDecrement() > 0) {
        throw new StapesException(Kind.TIMED_OUT, "instance vm", "its agent does not answer");
      }
    }
  }

  private void isLate() {
    isLate(ID);
  }

  private void isLate(InstanceId id) {
    machines.put(
        id,
        (Machine)
            Proxy.newProxyInstance(
                Machine.class.getClassLoader(),
                new Class<?>[] {Machine.class},
                (proxy, method, arguments) ->
                    switch (method.getName()) {
                      case "isFrozen" -> {
                        asked.add("frozen " + frozen.get());
                        yield frozen.get();
                      }
                      case "failure" -> Optional.empty();
                      case "fileSystems" -> Optional.of(new Guest());
                      default -> throw new AssertionError(method);
                    }));
    catalog.change(false).put(IntentNames.atRest(id), INTENT).commit();
    thaws.add(id);
  }

  private void awaitAsked(String what) throws InterruptedException {
    String next;
    do {
      next = asked.poll(20, TimeUnit.SECONDS);
    } while (next != null && !next.equals(what));
    assertEquals(what, next);
  }

  private void awaitNoIntent() {
    while (!catalog.intents().isEmpty()) {
      Thread.onSpinWait();
    }
  }

  @Test
  void a_guest_that_does_not_thaw_is_asked_until_it_does() throws InterruptedException {
    failures.set(2);
    isLate();
    awaitAsked("thaw");
    awaitAsked("thaw");
    awaitAsked("thaw");
    awaitNoIntent();
    thaws.undisturbed(ID, () -> {});
    isLate(); // once more, when nobody asks any more or is about to end
    awaitAsked("thaw");
    awaitNoIntent();
  }

  @Test
  void one_that_is_gone_is_asked_nothing() {
    isLate();
    machines.clear();
    awaitNoIntent();
  }

  @Test
  void one_that_stands_still_is_asked_when_it_goes_on() throws InterruptedException {
    frozen.set(true);
    isLate();
    awaitAsked("frozen true");
    assertTrue(asked.stream().noneMatch("thaw"::equals));
    frozen.set(false);
    awaitAsked("thaw");
    awaitNoIntent();
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** Two that are late; the test is at the thaw of the first one of them, and no further. */
  private void atTheFirstOfTwo(Runnable meanwhile) throws InterruptedException {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    thaw =
        () -> {
          begun.countDown();
          await(goOn);
        };
    frozen.set(true); // until both are known
    isLate();
    isLate(OTHER);
    frozen.set(false);
    begun.await();
    meanwhile.run();
    goOn.countDown();
    background.close();
  }

  @Test
  void who_closes_waits_for_one_guest_at_most() throws InterruptedException {
    atTheFirstOfTwo(thaws::end);
    assertEquals(1, asked.stream().filter("thaw"::equals).count());
    assertEquals(1, catalog.intents().size());
  }

  @Test
  void those_that_are_let_go_of_are_not_taken_for_gone() throws InterruptedException {
    atTheFirstOfTwo(
        () -> {
          thaws.end();
          machines.clear();
        });
    assertEquals(1, catalog.intents().size());
  }

  @Test
  void nor_one_that_is_let_go_of_while_it_is_looked_for() throws InterruptedException {
    CountDownLatch sought = new CountDownLatch(1);
    LateThaws other =
        new LateThaws(
            catalog,
            background,
            id -> {
              background.endPauses();
              sought.countDown();
              return Optional.empty();
            },
            MOMENT,
            MOMENT);
    catalog.change(false).put(IntentNames.atRest(ID), INTENT).commit();
    other.add(ID);
    sought.await();
    background.close();
    assertEquals(1, catalog.intents().size());
  }

  @Test
  void who_is_interrupted_does_not_wait_for_a_guest_that_is_asked() throws InterruptedException {
    atTheFirstOfTwo(
        () -> {
          Thread.currentThread().interrupt();
          for (InstanceId id : List.of(ID, OTHER)) {
            StapesException e =
                assertThrows(
                    StapesException.class,
                    () ->
                        thaws.undisturbed(
                            id,
                            () -> {
                              throw new AssertionError();
                            }));
            assertEquals(Kind.INTERRUPTED, e.kind());
          }
          assertTrue(Thread.interrupted());
        });
  }

  @Test
  void nobody_thaws_what_is_copied_once_more() throws InterruptedException {
    failures.set(Integer.MAX_VALUE);
    isLate();
    awaitAsked("thaw");
    thaws.undisturbed(
        ID,
        () -> {
          failures.set(0);
          asked.clear();
          isLate();
          assertTrue(asked.isEmpty());
        });
    awaitAsked("thaw");
    awaitNoIntent();
  }
}
