package dev.stapes.storage.zfs;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Has a zpool write down what was written to it. ZFS counts what a dataset refers to in transaction
 * groups, and nothing but the end of one makes the count right: but who waits for one while another
 * is being awaited shares the next with all others.
 */
final class SharedSync {
  private final Runnable sync;
  private final ReentrantLock turn = new ReentrantLock();
  private final AtomicLong begun = new AtomicLong();
  private final AtomicLong done = new AtomicLong();

  SharedSync(Runnable sync) {
    this.sync = sync;
  }

  /** About how many wait for the end of one. */
  int waiting() {
    return turn.getQueueLength();
  }

  /** Returns when a sync is over that began after this call. */
  void await() {
    long wanted = begun.get() + 1;
    turn.lock();
    try {
      if (done.get() < wanted) {
        long own = begun.incrementAndGet();
        sync.run();
        done.set(own);
      }
    } finally {
      turn.unlock();
    }
  }
}
