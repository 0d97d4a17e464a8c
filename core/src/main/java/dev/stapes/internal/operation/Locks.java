package dev.stapes.internal.operation;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One lock per key, such as {@code instance/4}: who comes first is served first, and who is not
 * served is told what the lock is held for. A key that nobody holds or waits for costs nothing. Not
 * reentrant. May be used from any thread.
 */
public final class Locks {
  private final ConcurrentHashMap<String, Gate> gates = new ConcurrentHashMap<>();

  /** No lock is held. */
  public Locks() {}

  /** Of one key: there while somebody holds it or waits. */
  private static final class Gate {
    private final Semaphore permit = new Semaphore(1, true);
    // Who holds it and waits for it; changed within compute() of the map.
    private int users;
    private volatile @Nullable Holder holder;
  }

  private record Holder(String operation, Thread thread) {}

  /** As {@link #acquire(Collection, String, Duration)} with one key. */
  public Held acquire(String key, String operation, Duration timeout) {
    return acquire(List.of(key), operation, timeout);
  }

  /**
   * Takes the locks of all keys, in the order of the keys, so that two who want the same ones never
   * wait for each other.
   *
   * @param keys which ones; the same one twice counts once
   * @param operation what they are held for, in words for the BUSY error of others, such as {@code
   *     snapshot of instance web}
   * @param timeout how long to wait for all of them; zero: not at all
   * @throws StapesException BUSY with the key as its subject and the holder's operation;
   *     INTERRUPTED, and the thread still is; INTERNAL where this thread holds one of them already.
   *     None is held then
   */
  public Held acquire(Collection<String> keys, String operation, Duration timeout) {
    long deadline = System.nanoTime() + TimeUnit.NANOSECONDS.convert(timeout);
    Held held = new Held();
    try {
      for (String key : new TreeSet<>(keys)) {
        held.gates.push(new Taken(key, take(key, operation, deadline - System.nanoTime())));
      }
      return held;
    } catch (RuntimeException e) {
      held.close();
      throw e;
    }
  }

  /** How many keys are held or waited for. */
  public int size() {
    return gates.size();
  }

  private Gate take(String key, String operation, long nanos) {
    Gate gate =
        gates.compute(
            key,
            (unused, known) -> {
              Gate entered = known == null ? new Gate() : known;
              entered.users++;
              return entered;
            });
    boolean taken = false;
    try {
      refuseTwice(key, gate);
      // The timed form, unlike the one without arguments, keeps to the queue also with zero.
      taken = gate.permit.tryAcquire(Math.max(0, nanos), TimeUnit.NANOSECONDS);
      if (!taken) {
        Holder holder = gate.holder;
        throw new StapesException(
            Kind.BUSY, key, "busy: " + (holder == null ? "just taken" : holder.operation()));
      }
      gate.holder = new Holder(operation, Thread.currentThread());
      return gate;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(
          Kind.INTERRUPTED, key, operation + ": interrupted while waiting for the lock", e);
    } finally {
      if (!taken) {
        leave(key);
      }
    }
  }

  private static void refuseTwice(String key, Gate gate) {
    Holder holder = gate.holder;
    if (holder != null && holder.thread() == Thread.currentThread()) {
      throw new StapesException(
          Kind.INTERNAL, key, "this thread holds the lock already: " + holder.operation());
    }
  }

  private void leave(String key) {
    gates.computeIfPresent(key, (unused, gate) -> --gate.users == 0 ? null : gate);
  }

  private record Taken(String key, Gate gate) {}

  /** Locks that are held. May be closed by another thread. */
  public final class Held implements AutoCloseable {
    private final ArrayDeque<Taken> gates = new ArrayDeque<>();

    private Held() {}

    /** Gives them back. Idempotent. */
    @Override
    public synchronized void close() {
      while (!gates.isEmpty()) {
        Taken taken = gates.pop();
        taken.gate().holder = null;
        taken.gate().permit.release();
        leave(taken.key());
      }
    }
  }
}
