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
    begin(id, Claim.RECEIVED);
  }

  /**
   * Works with what is called after a volume, and keeps others from receiving that meanwhile; also
   * where the work is given up, until it has ended.
   *
   * @throws StapesException BUSY where it is being received; INTERRUPTED
   */
  void holding(VolumeId id, Runnable work) {
    begin(id, Claim.HELD);
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
  }

  private synchronized void begin(VolumeId id, Claim claim) {
    try {
      while (claims.get(id) == Claim.HELD) {
        wait();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(
          Kind.INTERRUPTED, "volume " + id, "interrupted while what is left of it is freed", e);
    }
    if (claims.containsKey(id)) {
      throw busy(id);
    }
    claims.put(id, claim);
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
