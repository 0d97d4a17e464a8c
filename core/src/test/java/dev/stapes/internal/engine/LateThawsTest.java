package dev.stapes.internal.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.internal.store.MemoryStateStore;
import dev.stapes.model.InstanceId;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Machine;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
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
  private static final Duration MOMENT = Duration.ofMillis(1);

  private final MemoryStateStore durable = new MemoryStateStore();
  private final MemoryStateStore fleeting = new MemoryStateStore();
  private final Catalog catalog = new Catalog(durable, fleeting);
  private final Background background = new Background("thaws", 1);
  private final Map<InstanceId, Machine> machines = new ConcurrentHashMap<>();
  private final AtomicInteger failures = new AtomicInteger();
  private final AtomicBoolean frozen = new AtomicBoolean();
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
      if (failures.getAndDecrement() > 0) {
        throw new StapesException(Kind.TIMED_OUT, "instance vm", "its agent does not answer");
      }
    }
  }

  private void isLate() {
    machines.put(
        ID,
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
    catalog
        .change(false)
        .put(LateThaws.intentOf(ID), Intent.onVolumes("instance-copy", "vm", java.util.List.of()))
        .commit();
    thaws.add(ID);
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

  @Test
  void nobody_thaws_what_is_copied_once_more() throws InterruptedException {
    failures.set(1);
    isLate();
    awaitAsked("thaw");
    thaws.undisturbed(
        ID,
        () -> {
          asked.clear();
          isLate();
          assertTrue(asked.isEmpty());
        });
    awaitAsked("thaw");
    awaitNoIntent();
  }
}
