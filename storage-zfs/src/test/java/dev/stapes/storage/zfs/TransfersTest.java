package dev.stapes.storage.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Host;
import dev.stapes.spi.Processes;
import dev.stapes.testkit.FakeHost;
import dev.stapes.testkit.FakeProgram;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Streams that are under way when a pool is closed. */
class TransfersTest {
  private static final int MANY = 30;
  private static final Duration LOOK = Duration.ofMillis(10);
  private static final List<String> SEND = List.of("zfs", "send", "tank/a@b");

  /** A host that starts these, one after the other. */
  private static Host host(Queue<? extends Processes.Child> children) {
    FakeHost host = FakeHost.builder().program("zfs", FakeProgram.printing("")).build();
    ClassLoader loader = TransfersTest.class.getClassLoader();
    Object processes =
        Proxy.newProxyInstance(
            loader, new Class<?>[] {Processes.class}, (proxy, method, given) -> children.remove());
    Object wrapped =
        Proxy.newProxyInstance(
            loader,
            new Class<?>[] {Host.class},
            (proxy, method, given) ->
                method.getName().equals("processes") ? processes : method.invoke(host, given));
    return (Host) wrapped;
  }

  @Test
  @Timeout(60)
  void those_that_hang_are_waited_for_together_and_counted() {
    List<HungProgram> all = Stream.generate(HungProgram::new).limit(MANY).toList();
    all.get(0).letGo();
    Transfers transfers =
        new Transfers(
            host(new ArrayDeque<>(all)), "pool p", Duration.ofSeconds(1), () -> false, LOOK);
    all.forEach(program -> transfers.writing(SEND));
    StapesException error = assertThrows(StapesException.class, transfers::close);
    assertEquals(Kind.UNAVAILABLE, error.kind());
    String message = String.valueOf(error.getMessage());
    assertTrue(message.endsWith("do not end: " + (MANY - 1)), message);
    assertTrue(all.stream().skip(1).allMatch(HungProgram::isKilled));
    error = assertThrows(StapesException.class, () -> transfers.writing(SEND));
    assertEquals(Kind.UNAVAILABLE, error.kind());
  }

  @Test
  @Timeout(60)
  void nobody_waits_for_one_whose_zpool_has_stopped() {
    HungProgram hung = new HungProgram();
    AtomicBoolean stuck = new AtomicBoolean();
    Transfers transfers =
        new Transfers(
            host(new ArrayDeque<>(List.of(hung))),
            "pool p",
            Duration.ofMinutes(1),
            stuck::get,
            LOOK);
    PipedProgram program = transfers.writing(SEND);
    stuck.set(true);
    StapesException error = assertThrows(StapesException.class, () -> transfers.await(program));
    assertEquals(Kind.UNAVAILABLE, error.kind(), error::toString);
    assertTrue(hung.isKilled());
    error = assertThrows(StapesException.class, () -> transfers.writing(SEND));
    assertEquals(Kind.UNAVAILABLE, error.kind(), error::toString);
    assertThrows(StapesException.class, program::close);
    transfers.close();
  }
}
