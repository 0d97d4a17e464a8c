package dev.stapes.linux;

import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Waits for a descriptor to become ready until it is, or until another thread calls {@link #close}.
 * The descriptor is closed only after the waiting thread has left, so that its number can never
 * mean another file to it.
 */
final class CloseableWait implements AutoCloseable {
  static final int[] TRY_AGAIN = {Errno.EAGAIN, Errno.EINTR};

  private final Syscalls sys;
  private final Fd fd;
  private final Fd wake;
  private final ReentrantLock lock = new ReentrantLock();
  private volatile boolean closed;

  CloseableWait(Syscalls sys, Fd fd) {
    this.sys = sys;
    this.fd = fd;
    this.wake = wakeUp(sys);
  }

  /** An eventfd(2): readable once {@link #signal} was called on it. */
  static Fd wakeUp(Syscalls sys) {
    int flags = Constants.EFD_CLOEXEC | Constants.EFD_NONBLOCK;
    return Fd.adopt(sys, sys.check(sys.libc().eventfd(0, flags), "eventfd", "wake-up"), "wake-up");
  }

  static void signal(Syscalls sys, Fd wake) {
    ByteBuffer one = Syscalls.buffer(Long.BYTES).putLong(0, 1);
    sys.check(sys.libc().write(wake.number(), one, Long.BYTES), "write", "wake-up");
  }

  /** Work that reads or writes the descriptor. */
  interface Work {
    int run() throws IOException;
  }

  /** Runs the work of one thread at a time. */
  int during(Work work) throws IOException {
    lock.lock();
    try {
      if (closed) {
        throw new IOException(fd + ": the stream is closed");
      }
      return work.run();
    } catch (LinuxException e) {
      throw new IOException(e.getMessage(), e);
    } finally {
      lock.unlock();
    }
  }

  /** Returns when the descriptor is ready for {@code event} or in error. */
  void until(int event) throws IOException {
    while (true) {
      boolean[] ready = Fd.poll(sys, -1, event, fd, wake);
      if (closed) {
        throw new IOException(fd + ": the stream was closed while it waited");
      }
      if (ready[0]) {
        return;
      }
    }
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    synchronized (wake) {
      if (closed) {
        return;
      }
      closed = true;
      signal(sys, wake);
    }
    lock.lock();
    try (wake) {
      fd.close();
    } finally {
      lock.unlock();
    }
  }
}
