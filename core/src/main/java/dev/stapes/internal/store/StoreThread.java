package dev.stapes.internal.store;

import dev.stapes.model.StapesException;
import dev.stapes.spi.StateStore;
import dev.stapes.spi.StateStore.Change;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The store's own thread: tells watches what changed, and lets leases run out. It starts with the
 * first watch or lease and keeps the JVM alive until {@link #close}.
 */
final class StoreThread {
  private static final Logger log = LoggerFactory.getLogger(StoreThread.class);

  /** After an error, such as a full disk, leases are looked at again so much later. */
  private static final Duration RETRY = Duration.ofSeconds(1);

  private final String subject;
  private final ReentrantLock lock;
  private final Condition work;
  private final Condition told;
  private final ChangeLog changes;
  private final Supplier<@Nullable Duration> expire;

  /** Replaced, never changed, so that the thread can go through it without the lock. */
  private List<Subscription> watches = List.of();

  private @Nullable Thread thread;
  private boolean closed;

  /**
   * A thread that does not run yet.
   *
   * @param lock the store's, which guards all of this
   * @param expire ends the leases that ran out and says when the next one does, null: none will;
   *     called under the lock
   */
  StoreThread(
      String subject, ReentrantLock lock, ChangeLog changes, Supplier<@Nullable Duration> expire) {
    this.subject = subject;
    this.lock = lock;
    this.work = lock.newCondition();
    this.told = lock.newCondition();
    this.changes = changes;
    this.expire = expire;
  }

  /** A watch from a revision on that the log still knows. */
  StateStore.Watch watch(String prefix, long after, StateStore.Listener listener) {
    Subscription watch = new Subscription(prefix, after, listener);
    List<Subscription> more = new ArrayList<>(watches);
    more.add(watch);
    watches = List.copyOf(more);
    wake();
    return watch;
  }

  /** There may be work; starts the thread at the first call. */
  void wake() {
    if (thread == null) {
      thread = new Thread(this::run, "stapes-store");
      thread.setDaemon(false);
      thread.start();
    }
    work.signal();
  }

  /** There was a commit. */
  void committed() {
    if (!watches.isEmpty()) {
      wake();
    }
  }

  /** Ends it and waits for its end, unless it is this thread that closes. Without the lock. */
  void close() {
    Thread running;
    lock.lock();
    try {
      closed = true;
      watches = List.of();
      work.signal();
      running = thread;
    } finally {
      lock.unlock();
    }
    if (running == null || running == Thread.currentThread()) {
      return;
    }
    boolean interrupted = false;
    while (running.isAlive()) {
      try {
        running.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void run() {
    lock.lock();
    try {
      while (!closed) {
        Duration pause = expireSafely();
        boolean busy = false;
        for (Subscription watch : watches) {
          busy |= watch.tellNext();
        }
        if (!busy && !closed) {
          await(pause);
        }
      }
    } finally {
      lock.unlock();
    }
  }

  private @Nullable Duration expireSafely() {
    try {
      return expire.get();
    } catch (RuntimeException e) {
      log.warn("{}: leases that ran out are still there, trying again in {}", subject, RETRY, e);
      return RETRY;
    }
  }

  private void await(@Nullable Duration pause) {
    try {
      if (pause == null) {
        work.await();
      } else if (!pause.isNegative() && !pause.isZero()) {
        work.await(pause.toNanos(), TimeUnit.NANOSECONDS);
      }
    } catch (InterruptedException e) {
      // A listener interrupted its own thread: nobody else knows it. The flag is gone with this.
      log.debug("{}: the store's thread was interrupted by a listener", subject);
    }
  }

  /** One watch. Its fields are guarded by the lock, but for what is volatile or final. */
  private final class Subscription implements StateStore.Watch {
    private final String prefix;
    private final StateStore.Listener listener;
    private long seen;
    private boolean telling;
    private volatile boolean ended;

    Subscription(String prefix, long after, StateStore.Listener listener) {
      this.prefix = prefix;
      this.seen = after;
      this.listener = listener;
    }

    /**
     * Tells the next commit that concerns it; false: there was nothing to tell, and the lock was
     * held all the time.
     */
    boolean tellNext() {
      while (!ended && seen < changes.last()) {
        if (seen < changes.forgotten()) {
          StapesException reason = forgotten(subject, seen, changes);
          end();
          tell(() -> listener.lost(reason));
          return true;
        }
        seen++;
        List<Change> matching =
            changes.of(seen).stream().filter(change -> change.key().startsWith(prefix)).toList();
        if (!matching.isEmpty()) {
          tell(() -> matching.forEach(this::tellOne));
          return true;
        }
      }
      return false;
    }

    private void tellOne(Change change) {
      if (!ended) {
        callSafely(() -> listener.changed(change));
      }
    }

    /** Calls the listener without the lock. */
    private void tell(Runnable call) {
      telling = true;
      lock.unlock();
      try {
        callSafely(call);
      } finally {
        lock.lock();
        telling = false;
        told.signalAll();
      }
    }

    // A listener is foreign code: whatever it throws must not end the thread of all others.
    private void callSafely(Runnable call) {
      try {
        call.run();
      } catch (RuntimeException | Error e) {
        log.warn("{}: a listener to {}* failed", subject, prefix, e);
      }
    }

    private void end() {
      ended = true;
      watches = watches.stream().filter(watch -> watch != this).toList();
    }

    @Override
    public void close() {
      lock.lock();
      try {
        end();
        while (telling && Thread.currentThread() != thread) {
          told.awaitUninterruptibly();
        }
      } finally {
        lock.unlock();
      }
    }
  }

  static StapesException forgotten(String subject, long after, ChangeLog changes) {
    return new StapesException(
        StapesException.Kind.UNAVAILABLE,
        subject,
        "changes after revision "
            + after
            + " are forgotten: the oldest known is "
            + (changes.forgotten() + 1)
            + ": read all again and watch from there");
  }
}
