package dev.stapes.storage.zfs;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.VolumeId;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Who works with what is called after volumes that are to be: somebody who receives one, or
 * somebody who frees what is left of one. The latter is short, and waited for; whoever waits is not
 * in the pool's gate, as what is waited for needs that.
 */
final class Claims {
  private enum Claim {
    RECEIVED,
    HELD,
    /** Nobody waits for the end of what is done with it any more, as the zpool has stopped. */
    LEFT
  }

  private final String subject;
  private final Map<VolumeId, Claim> claims = new HashMap<>();

  Claims(String subject) {
    this.subject = subject;
  }

  /**
   * Keeps others from making a volume until {@link #release}.
   *
   * @throws StapesException BUSY where somebody does so already; INTERRUPTED
   */
  void receive(VolumeId id) {
    if (!begin(id, Claim.RECEIVED)) {
      throw busy(id);
    }
  }

  /**
   * Works with what is called after a volume, and keeps others from receiving that meanwhile; also
   * where the work is given up, until it has ended.
   *
   * @throws StapesException BUSY where it is being received; INTERRUPTED
   */
  void holding(VolumeId id, Runnable work) {
    if (!tryHolding(id, work)) {
      throw busy(id);
    }
  }

  /**
   * As {@link #holding}, but does nothing where it is being received.
   *
   * @return whether the work was done
   * @throws StapesException INTERRUPTED
   */
  boolean tryHolding(VolumeId id, Runnable work) {
    if (!begin(id, Claim.HELD)) {
      return false;
    }
    boolean stays = false;
    try {
      work.run();
    } catch (GivenUp e) {
      stays = true;
      leave(id, e);
      throw e;
    } finally {
      if (!stays) {
        release(id);
      }
    }
    return true;
  }

  /** Waits for who frees what is left of it; the answer is no where somebody else works with it. */
  private synchronized boolean begin(VolumeId id, Claim claim) {
    try {
      while (claims.get(id) == Claim.HELD) {
        wait();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(
          Kind.INTERRUPTED, "volume " + id, "interrupted while what is left of it is freed", e);
    }
    return claims.putIfAbsent(id, claim) == null;
  }

  /** Keeps a claim until what was given up has ended; nobody waits for that. */
  void leave(VolumeId id, GivenUp work) {
    synchronized (this) {
      claims.put(id, Claim.LEFT);
      notifyAll();
    }
    work.afterwards(done -> release(id));
  }

  /** Ends a claim. */
  synchronized void release(VolumeId id) {
    claims.remove(id);
    notifyAll();
  }

  /** Whether somebody receives it. */
  synchronized boolean isReceived(VolumeId id) {
    return claims.get(id) == Claim.RECEIVED;
  }

  /** Fails with BUSY where somebody receives it. */
  void requireNotReceived(VolumeId id) {
    if (isReceived(id)) {
      throw busy(id);
    }
  }

  private StapesException busy(VolumeId id) {
    return new StapesException(Kind.BUSY, "volume " + id, "is being received in " + subject);
  }

  /** What is being received. */
  synchronized Set<VolumeId> received() {
    Set<VolumeId> received = new TreeSet<>(claims.keySet());
    received.removeIf(id -> claims.get(id) != Claim.RECEIVED);
    return received;
  }
}
