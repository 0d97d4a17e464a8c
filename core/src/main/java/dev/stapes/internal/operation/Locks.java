package dev.stapes.internal.operation;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * One lock per key, such as {@code instance/4}, held by one alone or shared by many: who comes
 * first is served first, and who is not served is told what the lock is held for. A key that nobody
 * holds or waits for costs nothing. Not reentrant. May be used from any thread.
 */
public final class Locks {
  /** All permits of a key: who holds it alone has them all, who shares it has one. */
  private static final int ALL = Integer.MAX_VALUE;

  private final ConcurrentHashMap<String, Gate> gates = new ConcurrentHashMap<>();

  /** No lock is held. */
  public Locks() {}

  /**
   * Keys to be held. What is in both counts as alone.
   *
   * @param alone those that nobody else may hold meanwhile
   * @param shared those that nobody may hold alone meanwhile
   */
  public record Claim(Set<String> alone, Set<String> shared) {
    /** Copies. */
    public Claim {
      alone = Set.copyOf(alone);
      shared = Set.copyOf(shared);
    }

    /** Keys to be held alone. */
    public static Claim alone(String... keys) {
      return new Claim(Set.of(keys), Set.of());
    }

    /** The same and one more key, to be held alone. */
    public Claim with(String key) {
      Set<String> all = new HashSet<>(alone);
      all.add(key);
      return new Claim(all, shared);
    }

    /** The same and more keys, to be shared. */
    public Claim sharing(Collection<String> more) {
      Set<String> all = new HashSet<>(shared);
      all.addAll(more);
      return new Claim(alone, all);
    }

    /** The same and one more key, to be shared. */
    public Claim sharing(String key) {
      return sharing(List.of(key));
    }

    /** Whether who holds this holds all of another one. */
    public boolean covers(Claim other) {
      return alone.containsAll(other.alone)
          && other.shared.stream().allMatch(key -> alone.contains(key) || shared.contains(key));
    }
  }

  /** Of one key: there while somebody holds it or waits. */
  private static final class Gate {
    private final Semaphore permits = new Semaphore(ALL, true);
    // Who holds it and waits for it; changed within compute() of the map.
    private int users;
    private final CopyOnWriteArrayList<Holder> holders = new CopyOnWriteArrayList<>();
  }

  // Compared by identity: one thread may do the same operation for two subjects.
  private static final class Holder {
    private final String operation;
    private final Thread thread = Thread.currentThread();

    Holder(String operation) {
      this.operation = operation;
    }
  }

  /** As {@link #acquire(Claim, String, Duration)} with one key, alone. */
  public Held acquire(String key, String operation, Duration timeout) {
    return acquire(Claim.alone(key), operation, timeout);
  }

  /** As {@link #acquire(Claim, String, Duration)} with all keys alone. */
  public Held acquire(Collection<String> keys, String operation, Duration timeout) {
    return acquire(new Claim(new HashSet<>(keys), Set.of()), operation, timeout);
  }

  /**
   * Takes the locks of all keys, in the order of the keys, so that two who want the same ones never
   * wait for each other.
   *
   * @param claim which ones
   * @param operation what they are held for, in words for the BUSY error of others, such as {@code
   *     snapshot of instance web}
   * @param timeout how long to wait for all of them; zero: not at all
   * @throws StapesException BUSY with the key as its subject and the operation of a holder;
   *     INTERRUPTED, and the thread still is; INTERNAL where this thread holds one of them already,
   *     alone or shared. None is held then
   */
  public Held acquire(Claim claim, String operation, Duration timeout) {
    long deadline = System.nanoTime() + TimeUnit.NANOSECONDS.convert(timeout);
    TreeSet<String> keys = new TreeSet<>(claim.shared());
    keys.addAll(claim.alone());
    Holder holder = new Holder(operation);
    Held held = new Held();
    try {
      for (String key : keys) {
        int permits = claim.alone().contains(key) ? ALL : 1;
        Gate gate = take(key, permits, holder, deadline - System.nanoTime());
        held.taken.push(new Taken(key, gate, permits, holder));
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

  private Gate take(String key, int permits, Holder holder, long nanos) {
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
      taken = gate.permits.tryAcquire(permits, Math.max(0, nanos), TimeUnit.NANOSECONDS);
      if (!taken) {
        String other =
            gate.holders.stream().map(each -> each.operation).findFirst().orElse("just taken");
        throw new StapesException(Kind.BUSY, key, "busy: " + other);
      }
      gate.holders.add(holder);
      return gate;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(
          Kind.INTERRUPTED, key, holder.operation + ": interrupted while waiting for the lock", e);
    } finally {
      if (!taken) {
        leave(key);
      }
    }
  }

  private static void refuseTwice(String key, Gate gate) {
    for (Holder holder : gate.holders) {
      if (holder.thread == Thread.currentThread()) {
        throw new StapesException(
            Kind.INTERNAL, key, "this thread holds the lock already: " + holder.operation);
      }
    }
  }

  private void leave(String key) {
    gates.computeIfPresent(key, (unused, gate) -> --gate.users == 0 ? null : gate);
  }

  private record Taken(String key, Gate gate, int permits, Holder holder) {}

  /** Locks that are held. May be closed by another thread. */
  public final class Held implements AutoCloseable {
    private final ArrayDeque<Taken> taken = new ArrayDeque<>();

    private Held() {}

    /** Gives them back. Idempotent. */
    @Override
    public synchronized void close() {
      while (!taken.isEmpty()) {
        Taken one = taken.pop();
        one.gate().holders.remove(one.holder());
        one.gate().permits.release(one.permits());
        leave(one.key());
      }
    }
  }
}
