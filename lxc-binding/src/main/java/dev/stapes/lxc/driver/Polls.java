package dev.stapes.lxc.driver;

import dev.stapes.linux.Fd;
import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.Layout;
import dev.stapes.linux.ffi.Syscalls;
import java.nio.ByteBuffer;

/** poll(2) on a few descriptors. */
final class Polls {
  private Polls() {}

  /**
   * Waits until one of them has something to read or is in error.
   *
   * @param millis -1: for ever
   * @return for each, its {@code revents}; all 0 after the time or a signal
   */
  static int[] readable(Syscalls sys, int millis, Fd... fds) {
    return poll(sys, millis, Constants.POLLIN, fds);
  }

  /** Waits until the first can be written to, or any is in error. */
  static int[] errors(Syscalls sys, int millis, Fd... fds) {
    return poll(sys, millis, 0, fds);
  }

  private static int[] poll(Syscalls sys, int millis, int events, Fd... fds) {
    ByteBuffer polled = Syscalls.buffer(fds.length * Layout.pollfd_SIZEOF);
    for (int i = 0; i < fds.length; i++) {
      int at = i * Layout.pollfd_SIZEOF;
      polled.putInt(at + Layout.pollfd_fd, fds[i].number());
      polled.putShort(at + Layout.pollfd_events, (short) events);
    }
    int count = sys.libc().poll(polled, fds.length, millis);
    sys.checkUnless(count, "poll", fds[0], Errno.EINTR);
    int[] found = new int[fds.length];
    for (int i = 0; i < fds.length && count > 0; i++) {
      found[i] = polled.getShort(i * Layout.pollfd_SIZEOF + Layout.pollfd_revents) & 0xffff;
    }
    return found;
  }
}
