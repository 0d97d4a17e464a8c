package dev.stapes.linux;

import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.Layout;
import dev.stapes.linux.ffi.Syscalls;
import java.nio.ByteBuffer;

/**
 * Waits for any number of descriptors; see epoll(7). One thread waits; all may {@link #wake} it and
 * change what it waits for.
 */
public final class Epoll implements AutoCloseable {
  private static final int BATCH = 64;
  private static final long WAKE = 0;

  private final Syscalls sys;
  private final Fd epoll;
  private final Fd wake;
  private final ByteBuffer events = Syscalls.buffer(BATCH * Layout.epoll_event_SIZEOF);
  private final ByteBuffer woken = Syscalls.buffer(Long.BYTES);

  private Epoll(Syscalls sys, Fd epoll, Fd wake) {
    this.sys = sys;
    this.epoll = epoll;
    this.wake = wake;
  }

  /** Takes what is ready. */
  public interface Sink {
    /**
     * A descriptor that is ready.
     *
     * @param key what it was added under
     * @param readable that it can be read, is at its end or in error
     * @param writable that it can be written, or is in error
     */
    void ready(long key, boolean readable, boolean writable);
  }

  /**
   * Waits for nothing yet.
   *
   * @param name for messages
   */
  public static Epoll open(Syscalls sys, String name) {
    int number = sys.libc().epoll_create1(Constants.EPOLL_CLOEXEC);
    Fd epoll = Fd.adopt(sys, sys.check(number, "epoll_create1", name), name);
    Fd wake = null;
    try {
      wake = CloseableWait.wakeUp(sys);
      Epoll made = new Epoll(sys, epoll, wake);
      made.control(Constants.EPOLL_CTL_ADD, wake, WAKE, true, false);
      return made;
    } catch (RuntimeException e) {
      try (epoll) {
        if (wake != null) {
          wake.close();
        }
      }
      throw e;
    }
  }

  /**
   * Waits for a descriptor until {@link #remove}.
   *
   * @param key positive
   * @param writing whether that it can be written counts too
   */
  public void add(Fd fd, long key, boolean writing) {
    control(Constants.EPOLL_CTL_ADD, fd, key, true, writing);
  }

  /** Changes what counts: that a descriptor can be read, or written; its end always does. */
  public void change(Fd fd, long key, boolean reading, boolean writing) {
    control(Constants.EPOLL_CTL_MOD, fd, key, reading, writing);
  }

  /** Must come before a descriptor is closed that has another one of the same description. */
  public void remove(Fd fd) {
    int result = sys.libc().epoll_ctl(epoll.number(), Constants.EPOLL_CTL_DEL, fd.number(), null);
    sys.check(result, "epoll_ctl", fd);
  }

  private void control(int operation, Fd fd, long key, boolean reading, boolean writing) {
    ByteBuffer event = Syscalls.buffer(Layout.epoll_event_SIZEOF);
    int wanted = (reading ? Constants.EPOLLIN : 0) | (writing ? Constants.EPOLLOUT : 0);
    event.putInt(Layout.epoll_event_events, wanted);
    event.putLong(Layout.epoll_event_data, key);
    int result = sys.libc().epoll_ctl(epoll.number(), operation, fd.number(), event);
    sys.check(result, "epoll_ctl", fd);
  }

  /**
   * Returns when something was ready, the time is over or {@link #wake} was called.
   *
   * @param nanos rounded up to milliseconds; negative for ever
   */
  public void await(long nanos, Sink sink) {
    int millis = nanos < 0 ? -1 : (int) Math.min(Integer.MAX_VALUE, (nanos + 999_999) / 1_000_000);
    int result = sys.libc().epoll_wait(epoll.number(), events, BATCH, millis);
    int count = sys.checkUnless(result, "epoll_wait", epoll, Errno.EINTR);
    for (int i = 0; i < count; i++) {
      int at = i * Layout.epoll_event_SIZEOF;
      long key = events.getLong(at + Layout.epoll_event_data);
      int what = events.getInt(at + Layout.epoll_event_events);
      if (key == WAKE) {
        long read = sys.libc().read(wake.number(), woken, Long.BYTES);
        sys.checkUnless((int) read, "read", wake, CloseableWait.TRY_AGAIN);
      } else {
        boolean failed = (what & ~(Constants.EPOLLIN | Constants.EPOLLOUT)) != 0;
        boolean readable = failed || (what & Constants.EPOLLIN) != 0;
        boolean writable = failed || (what & Constants.EPOLLOUT) != 0;
        sink.ready(key, readable, writable);
      }
    }
  }

  /** Makes the {@link #await} that is under way, or else the next one, return at once. */
  public void wake() {
    CloseableWait.signal(sys, wake);
  }

  @Override
  public void close() {
    try (epoll) {
      wake.close();
    }
  }
}
