package dev.stapes.lxc.driver;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;

/** How a container's init is asked to shut down. */
final class InitSignals {
  private static final int SIGUSR2 = 12;
  private static final int SIGPWR = 30;
  private static final int SIGRTMIN_3 = 37;

  private InitSignals() {}

  /** What is sent where nothing is known. */
  static final int USUAL = SIGPWR;

  /** The signal for a process, by what it does with signals; empty: it has not said so yet. */
  static OptionalInt shutdown(long pid) {
    try {
      return shutdown(Files.readString(Path.of("/proc/" + pid + "/status")));
    } catch (IOException e) {
      return OptionalInt.of(USUAL); // it has ended
    }
  }

  /**
   * The signal for what {@code /proc/PID/status} says.
   *
   * <p>systemd waits for blocked signals with a descriptor and halts on SIGRTMIN+3; that it is
   * blocked tells systemd from others, as in liblxc. Most others halt on SIGPWR; busybox init,
   * which has no use for it, on SIGUSR2.
   */
  static OptionalInt shutdown(String status) {
    long blocked = mask(status, "SigBlk:");
    long caught = mask(status, "SigCgt:");
    if (has(blocked, SIGRTMIN_3)) {
      return OptionalInt.of(SIGRTMIN_3);
    }
    long handled = caught | blocked;
    if (has(handled, SIGPWR)) {
      return OptionalInt.of(SIGPWR);
    }
    return has(handled, SIGUSR2) ? OptionalInt.of(SIGUSR2) : OptionalInt.empty();
  }

  private static boolean has(long mask, int signal) {
    return (mask & (1L << (signal - 1))) != 0;
  }

  private static long mask(String status, String field) {
    return status
        .lines()
        .filter(line -> line.startsWith(field))
        .map(line -> Long.parseUnsignedLong(line.substring(field.length()).strip(), 16))
        .findFirst()
        .orElse(0L);
  }
}
