package dev.stapes.linux.host;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Streams that go on outside of a pool's gate, for as long as the other end likes: who is alone in
 * the pool can end them.
 */
public final class Transfers {
  private static final Logger LOG = LoggerFactory.getLogger(Transfers.class);

  private final Set<Transfer> running = ConcurrentHashMap.newKeySet();

  /** None yet. */
  public Transfers() {}

  /** One of them. */
  public final class Transfer implements AutoCloseable {
    private final Runnable end;
    private volatile boolean cut;

    private Transfer(Runnable end) {
      this.end = end;
    }

    /** Whether the pool ended it. */
    public boolean isCut() {
      return cut;
    }

    /** Says that it ends, and lets go of what it holds. */
    @Override
    public void close() {
      try {
        end.run();
      } finally {
        running.remove(this); // not before: who ends all waits until they have let go
      }
    }
  }

  /**
   * Says that one begins, while nobody is alone in the pool.
   *
   * @param end lets go of the file system, whatever goes on; may be done again
   */
  public Transfer begin(Runnable end) {
    Transfer transfer = new Transfer(end);
    running.add(transfer);
    return transfer;
  }

  /** Ends them all; errors of that are logged, so that all are told. */
  public void cut() {
    for (Transfer transfer : running) {
      transfer.cut = true;
      try {
        transfer.close();
      } catch (RuntimeException e) {
        LOG.warn("a stream did not end as it should", e);
      }
    }
  }
}
