package dev.stapes.lxc.driver;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** How a container's init is asked to shut down. */
final class InitSignals {
  private static final int SIGUSR2 = 12;
  private static final int SIGPWR = 30;
  private static final int SIGRTMIN_3 = 37;

  private InitSignals() {}

  /** The signal for a process, by what it does with signals. */
  static int shutdown(long pid) {
    try {
      return shutdown(Files.readString(Path.of("/proc/" + pid + "/status")));
    } catch (IOException e) {
      return SIGPWR; // it has ended, or will get what is usual
    }
  }

  /**
   * The signal for what {@code /proc/PID/status} says.
   *
   * <p>systemd waits for blocked signals with a descriptor and halts on SIGRTMIN+3; that it is
   * blocked tells systemd from others, as in liblxc. Most others halt on SIGPWR; busybox init,
   * which has no use for it, on SIGUSR2.
   */
  static int shutdown(String status) {
    long blocked = mask(status, "SigBlk:");
    long caught = mask(status, "SigCgt:");
    if (has(blocked, SIGRTMIN_3)) {
      return SIGRTMIN_3;
    }
    boolean power = has(caught, SIGPWR) || has(blocked, SIGPWR);
    boolean user = has(caught, SIGUSR2) || has(blocked, SIGUSR2);
    return !power && user ? SIGUSR2 : SIGPWR;
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
