package dev.stapes.storage.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Command;
import dev.stapes.spi.Host;
import dev.stapes.spi.Output;
import dev.stapes.testkit.FakeHost;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Commands that nobody kills, and zpools that have stopped. */
@Tag("once")
class UnkilledTest {
  private static final Command COMMAND = Command.of("zfs", "destroy", "tank/a");

  @TempDir Path states;

  private static void run(Host host, BooleanSupplier stuck, Runnable late) {
    Output unused =
        Unkilled.finish(
            "pool p", "destroy", Unkilled.command(host.programs(), COMMAND), stuck, late);
  }

  @Test
  void who_is_interrupted_meanwhile_waits_for_the_end_and_stays_interrupted() {
    Thread caller = Thread.currentThread();
    AtomicBoolean ended = new AtomicBoolean();
    FakeHost host =
        FakeHost.builder()
            .program(
                "zfs",
                call -> {
                  caller.interrupt();
                  ended.set(true);
                  return 0;
                })
            .build();
    run(host, () -> false, () -> {});
    assertTrue(ended.get());
    assertTrue(Thread.interrupted());
  }

  @Test
  void an_error_of_the_command_is_that_of_the_caller() {
    FakeHost host = FakeHost.builder().program("zfs", call -> 1).build();
    StapesException error =
        assertThrows(StapesException.class, () -> run(host, () -> false, () -> {}));
    assertEquals(Kind.INTERNAL, error.kind(), error::toString);
  }

  @Test
  void nobody_waits_for_a_zpool_that_has_stopped_and_its_end_is_told() throws Exception {
    CountDownLatch late = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    FakeHost host =
        FakeHost.builder()
            .program(
                "zfs",
                call -> {
                  go.await();
                  return 0;
                })
            .build();
    AtomicBoolean stopped = new AtomicBoolean();
    try {
      StapesException error =
          assertThrows(
              StapesException.class,
              () -> run(host, () -> stopped.getAndSet(true), late::countDown));
      assertEquals(Kind.UNAVAILABLE, error.kind(), error::toString);
      error = assertThrows(StapesException.class, () -> run(host, () -> true, () -> {}));
      assertEquals(Kind.UNAVAILABLE, error.kind(), error::toString);
      assertEquals(1, late.getCount());
    } finally {
      go.countDown();
    }
    assertTrue(late.await(60, TimeUnit.SECONDS), "it was done after all, and nobody was told");
  }

  @Test
  void the_kernel_tells_which_zpool_has_stopped() throws IOException {
    Suspension suspension = new Suspension(states);
    assertFalse(suspension.of("tank"));
    Path state = Files.createDirectory(states.resolve("tank")).resolve("state");
    Files.writeString(state, "ONLINE\n");
    assertFalse(suspension.of("tank"));
    Files.writeString(state, "SUSPENDED\n");
    assertTrue(suspension.of("tank"));
    assertEquals("tank", Suspension.zpool(List.of("zfs", "destroy", "tank/a@b,c")));
    assertEquals("tank", Suspension.zpool(List.of("zpool", "export", "tank")));
    assertEquals("tank", Suspension.zpool(List.of("zpool", "online", "-e", "tank", "/dev/sda")));
    assertEquals("", Suspension.zpool(List.of("/dev/sda")));
  }
}
