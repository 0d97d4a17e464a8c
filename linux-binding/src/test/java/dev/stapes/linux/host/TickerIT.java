package dev.stapes.linux.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.Spawner;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.spi.Host.Busy;
import dev.stapes.testkit.RequiresRoot;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@RequiresRoot
@Timeout(60)
class TickerIT {
  private final Syscalls sys = Syscalls.system();
  private final Spawner spawner = Spawner.open(sys, "test");

  @AfterEach
  void close() {
    spawner.close();
  }

  /** Waits for ticks as they come, at most the time of the test. */
  private static void awaitTicks(Ticker ticker, long count) {
    while (ticker.ticks() < count) {
      assertTrue(ticker.isEnabled(), "cgroups that cannot or need not be kept warm");
      Thread.onSpinWait();
    }
  }

  @Test
  void it_ticks_while_somebody_is_busy_and_stops_after_the_last() {
    try (Ticker ticker = new Ticker(sys, spawner, "test", true)) {
      Busy one = ticker.busy();
      Busy two = ticker.busy();
      awaitTicks(ticker, 3);
      one.close();
      one.close(); // counts once
      awaitTicks(ticker, ticker.ticks() + 40); // longer than the tail: two is busy still
      two.close();
      long atEnd = ticker.ticks();
      while (ticker.isWanted()) {
        Thread.onSpinWait();
      }
      assertTrue(ticker.ticks() - atEnd <= 60, "a tail of " + (ticker.ticks() - atEnd));
      long idle = ticker.ticks();
      try (Busy again = ticker.busy()) {
        awaitTicks(ticker, idle + 1);
        assertTrue(ticker.ticks() > idle, again.toString());
      }
    }
  }

  @Test
  void it_costs_no_thread_and_no_process_before_it_is_wanted_and_when_it_is_off() {
    try (Ticker off = new Ticker(sys, spawner, "off", false);
        Ticker unused = new Ticker(sys, spawner, "unused", true)) {
      off.busy().close();
      assertEquals(0, off.ticks() + unused.ticks());
      assertTrue(
          Thread.getAllStackTraces().keySet().stream()
              .noneMatch(thread -> thread.getName().endsWith("-ticker")));
    }
  }

  @Test
  void after_closing_its_thread_and_its_child_are_gone() {
    Ticker ticker = new Ticker(sys, spawner, "closing", true);
    ticker.busy();
    awaitTicks(ticker, 1);
    ticker.close();
    ticker.close();
    assertTrue(
        Thread.getAllStackTraces().keySet().stream()
            .noneMatch(thread -> thread.getName().equals("closing-ticker")));
    long ticks = ticker.ticks();
    ticker.busy().close();
    assertEquals(ticks, ticker.ticks());
  }
}
