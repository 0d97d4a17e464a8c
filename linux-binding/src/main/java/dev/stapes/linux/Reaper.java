package dev.stapes.linux;

import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.Layout;
import dev.stapes.linux.ffi.Syscalls;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One thread that waits for the end of any number of processes, with epoll(7). */
final class Reaper implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Reaper.class);
  private static final int BATCH = 64;
  private static final long WAKE = 0;

  private final Syscalls sys;
  private final Fd epoll;
  private final Fd wake;
  private final Map<Long, Watch> watches = new ConcurrentHashMap<>();
  private final AtomicLong keys = new AtomicLong(WAKE);
  private final Thread thread;
  private volatile boolean closed;

  private record Watch(Fd pidfd, Runnable onEnd) {}

  private Reaper(Syscalls sys, String name, Fd epoll, Fd wake) {
    this.sys = sys;
    this.epoll = epoll;
    this.wake = wake;
    this.thread = new Thread(this::run, name);
    thread.setDaemon(true);
  }

  static Reaper start(Syscalls sys, String name) {
    int number = sys.libc().epoll_create1(Constants.EPOLL_CLOEXEC);
    Fd epoll = Fd.adopt(sys, sys.check(number, "epoll_create1", name), name);
    Fd wake = null;
    try {
      wake = CloseableWait.wakeUp(sys);
      Reaper reaper = new Reaper(sys, name, epoll, wake);
      reaper.register(wake, WAKE);
      reaper.thread.start();
      return reaper;
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
   * Runs {@code onEnd} on the reaper's thread, once, when the process has ended.
   *
   * @param pidfd stays open until then or until {@link #unwatch}
   * @return what {@link #unwatch} takes
   */
  long watch(Fd pidfd, Runnable onEnd) {
    if (closed) {
      throw new IllegalStateException("the reaper is closed");
    }
    long key = keys.incrementAndGet();
    watches.put(key, new Watch(pidfd, onEnd));
    try {
      register(pidfd, key);
      return key;
    } catch (RuntimeException e) {
      watches.remove(key);
      throw e;
    }
  }

  /** Ends a watch; does nothing if the process has ended. */
  void unwatch(long key) {
    take(key);
  }

  /** Under a lock: who closes the descriptor after this must find it out of the epoll. */
  private synchronized @Nullable Watch take(long key) {
    Watch watch = watches.remove(key);
    if (watch != null) {
      deregister(watch);
    }
    return watch;
  }

  /** A description that has another descriptor somewhere does not leave by being closed. */
  private void deregister(Watch watch) {
    int fd = watch.pidfd().number();
    if (sys.libc().epoll_ctl(epoll.number(), Constants.EPOLL_CTL_DEL, fd, null) < 0) {
      LOG.warn("{} is still watched: {}", watch.pidfd(), Errno.name(sys.errno()));
    }
  }

  private void register(Fd fd, long key) {
    ByteBuffer event = Syscalls.buffer(Layout.epoll_event_SIZEOF);
    event.putInt(Layout.epoll_event_events, Constants.EPOLLIN);
    event.putLong(Layout.epoll_event_data, key);
    int result = sys.libc().epoll_ctl(epoll.number(), Constants.EPOLL_CTL_ADD, fd.number(), event);
    sys.check(result, "epoll_ctl", fd);
  }

  private void run() {
    ByteBuffer events = Syscalls.buffer(BATCH * Layout.epoll_event_SIZEOF);
    while (!closed) {
      int count = sys.libc().epoll_wait(epoll.number(), events, BATCH, -1);
      sys.checkUnless(count, "epoll_wait", "processes", Errno.EINTR);
      for (int i = 0; i < count; i++) {
        ended(events.getLong(i * Layout.epoll_event_SIZEOF + Layout.epoll_event_data));
      }
    }
  }

  private void ended(long key) {
    try {
      Watch watch = take(key);
      if (watch != null) {
        watch.onEnd().run();
      }
    } catch (RuntimeException e) {
      LOG.warn("the end of a process was not dealt with: {}", e.getMessage(), e);
    }
  }

  /** Joins the thread; processes that have not ended are not watched any more. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    CloseableWait.signal(sys, wake);
    Joins.join(thread);
    try (epoll) {
      wake.close();
    }
  }
}
