package dev.stapes.internal.engine;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Where callers go in and out. Once it closes nobody comes in any more, and those inside are
 * interrupted, in the middle of an operation or between two that belong together.
 */
final class Gate {
  private static final Pass FREE = new Pass(null);

  private final Predicate<Thread> engines;
  private final Map<Thread, Pass> inside = new HashMap<>();
  private @Nullable Thread closer;

  /**
   * An open one.
   *
   * @param engines threads of the engine, which are neither refused nor waited for: what they do is
   *     finished when they are closed
   */
  Gate(Predicate<Thread> engines) {
    this.engines = engines;
  }

  /**
   * Comes in, until the answer is closed; who is inside already comes in once more at any time.
   *
   * @throws StapesException UNAVAILABLE where it was closed by another thread
   */
  synchronized Pass enter() {
    Thread me = Thread.currentThread();
    if (me.equals(closer) || inside.containsKey(me) || engines.test(me)) {
      return FREE;
    }
    if (closer != null) {
      throw new StapesException(Kind.UNAVAILABLE, "stapes", "is closed");
    }
    Pass pass = new Pass(this);
    inside.put(me, pass);
    return pass;
  }

  private synchronized void leave(Pass pass) {
    inside.remove(Thread.currentThread());
    if (pass.cancelled && !pass.interruptedBefore) {
      // The interrupt was for what was done inside: nobody who comes later shall find it.
      Thread.interrupted();
    }
    notifyAll();
  }

  /** Fails with CONFLICT where this thread is inside: it would wait for itself. */
  synchronized void requireOutside() {
    if (inside.containsKey(Thread.currentThread())) {
      throw new StapesException(
          Kind.CONFLICT, "stapes", "cannot be closed from within one of its operations");
    }
  }

  /**
   * Lets nobody in any more but this thread, interrupts those inside, and waits until they have
   * left.
   *
   * @return false: after this time somebody was still inside
   * @throws InterruptedException where this thread was; nobody is let in all the same
   */
  synchronized boolean close(Duration patience) throws InterruptedException {
    closer = Thread.currentThread();
    inside.forEach(
        (thread, pass) -> {
          pass.cancelled = true;
          thread.interrupt();
        });
    long deadline = System.nanoTime() + patience.toNanos();
    while (!inside.isEmpty()) {
      long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
      if (left <= 0) {
        return false;
      }
      wait(left);
    }
    return true;
  }

  /** Of one thread inside; closed by this thread. */
  static final class Pass implements AutoCloseable {
    private final @Nullable Gate gate;
    private final boolean interruptedBefore = Thread.currentThread().isInterrupted();
    private boolean cancelled;

    private Pass(@Nullable Gate gate) {
      this.gate = gate;
    }

    @Override
    public void close() {
      if (gate != null) {
        gate.leave(this);
      }
    }
  }
}
