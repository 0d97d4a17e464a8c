package dev.stapes.linux;

import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** A process that cannot be mistaken for another one that gets its number later; pidfd_open(2). */
public final class Pidfd implements AutoCloseable {
  private final Syscalls sys;
  private final Fd fd;
  private final int pid;

  private Pidfd(Syscalls sys, Fd fd, int pid) {
    this.sys = sys;
    this.fd = fd;
    this.pid = pid;
  }

  /**
   * Opens the process that has this number now.
   *
   * @throws LinuxException ESRCH if there is none
   */
  public static Pidfd open(Syscalls sys, int pid) {
    return adopt(sys, sys.check(sys.pidfdOpen(pid, 0), "pidfd_open", "process " + pid), pid);
  }

  /** Opens the process that has this number now; empty if there is none. */
  public static Optional<Pidfd> find(Syscalls sys, int pid) {
    int result =
        sys.checkUnless(sys.pidfdOpen(pid, 0), "pidfd_open", "process " + pid, Errno.ESRCH);
    return result < 0 ? Optional.empty() : Optional.of(adopt(sys, result, pid));
  }

  private static Pidfd adopt(Syscalls sys, int number, int pid) {
    return new Pidfd(sys, Fd.adopt(sys, number, "process " + pid), pid);
  }

  /** The process's number, as this process sees it. */
  public int pid() {
    return pid;
  }

  /** The descriptor, owned by this. */
  public Fd fd() {
    return fd;
  }

  /**
   * Sends a signal.
   *
   * @return false if the process has ended and its parent has noticed
   */
  public boolean signal(Signal signal) {
    return signal(signal.number());
  }

  /** Sends a signal by its number, 1 to 64. */
  public boolean signal(int signal) {
    int result = sys.pidfdSendSignal(fd.number(), signal);
    return sys.checkUnless(result, "pidfd_send_signal", "process " + pid, Errno.ESRCH) >= 0;
  }

  /** Whether it has not ended; a zombie has ended. */
  public boolean isAlive() {
    return !Fd.poll(sys, 0, Constants.POLLIN, fd)[0];
  }

  /**
   * Waits for its end; it need not be a child.
   *
   * @return whether it ended within the time
   * @throws InterruptedException if the thread is interrupted
   */
  public boolean awaitExit(Duration timeout) throws InterruptedException {
    return !new Ready(sys, timeout).await(List.of(fd)).isEmpty();
  }

  /** Closes the handle; the process goes on. */
  @Override
  public void close() {
    fd.close();
  }
}
