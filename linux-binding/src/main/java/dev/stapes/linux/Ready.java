package dev.stapes.linux;

import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.Syscalls;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Waits until a descriptor can be read or written, up to a deadline; poll(2). */
public final class Ready {
  /** How often a wait looks whether its thread was interrupted; readiness is noticed at once. */
  private static final int INTERRUPT_CHECK_MILLIS = 50;

  private final Syscalls sys;
  private final long deadline;

  /**
   * @param timeout from now on, for all waits together
   */
  public Ready(Syscalls sys, Duration timeout) {
    this.sys = sys;
    this.deadline = System.nanoTime() + Timeouts.nanos(timeout);
  }

  /**
   * Waits for one of the descriptors.
   *
   * @return those that can be read or are at their end, in the order given; none if the time is
   *     over
   * @throws InterruptedException if the thread is interrupted
   */
  public List<Fd> await(List<Fd> fds) throws InterruptedException {
    return await(Constants.POLLIN, fds);
  }

  /**
   * Waits for a descriptor that is to be written, such as that of a socket that is being connected.
   *
   * @return whether it can be written, or failed; false if the time is over
   * @throws InterruptedException if the thread is interrupted
   */
  public boolean awaitWritable(Fd fd) throws InterruptedException {
    return !await(Constants.POLLOUT, List.of(fd)).isEmpty();
  }

  /** Whether the time is over: what is always ready at once can be waited for without end. */
  public boolean isOver() {
    return System.nanoTime() - deadline >= 0;
  }

  private List<Fd> await(int event, List<Fd> fds) throws InterruptedException {
    while (true) {
      if (Thread.interrupted()) {
        throw new InterruptedException("while waiting for " + fds);
      }
      long left = deadline - System.nanoTime();
      int slice = (int) Math.min(INTERRUPT_CHECK_MILLIS, Math.max(0, (left + 999_999) / 1_000_000));
      List<Fd> ready = poll(event, fds, slice);
      if (!ready.isEmpty() || left <= 0) {
        return ready;
      }
    }
  }

  private List<Fd> poll(int event, List<Fd> fds, int millis) {
    boolean[] flags = Fd.poll(sys, millis, event, fds.toArray(new Fd[0]));
    List<Fd> ready = new ArrayList<>();
    for (int i = 0; i < flags.length; i++) {
      if (flags[i]) {
        ready.add(fds.get(i));
      }
    }
    return ready;
  }
}
