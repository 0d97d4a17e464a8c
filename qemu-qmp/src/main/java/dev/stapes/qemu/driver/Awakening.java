package dev.stapes.qemu.driver;

import dev.stapes.model.StapesException;
import dev.stapes.qmp.guest.GuestSetTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a guest is told that goes on from memory that was saved: what time it is, and who it is
 * where it is a copy. It is told by its agent; without one it believes what it did.
 */
final class Awakening {
  private static final Logger LOG = LoggerFactory.getLogger(Awakening.class);

  /** An agent that is there answers at once; nobody waits for one that hangs. */
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  /** In a shell: the first argument is the new host name. */
  private static final String RENAME =
      "echo \"$1\" > /proc/sys/kernel/hostname; "
          + "[ ! -s /etc/hostname ] || echo \"$1\" > /etc/hostname; "
          + "[ ! -s /etc/machine-id ] || tr -d - < /proc/sys/kernel/random/uuid > /etc/machine-id";

  private final String name;
  private final boolean copy;

  /**
   * Of an instance.
   *
   * @param name of it
   * @param copy whether another one's memory was saved
   */
  Awakening(String name, boolean copy) {
    this.name = name;
    this.copy = copy;
  }

  /** Tells it. */
  void tell(GuestAgent agent, AgentConnection connection) {
    try {
      if (!connection.isOpen()) {
        LOG.info("instance {}: no agent sets the clock of its guest", name);
        return;
      }
      Instant now = Instant.now();
      long nanos = Math.addExact(now.getEpochSecond() * 1_000_000_000, now.getNano());
      agent.call(GuestSetTime.builder().time(nanos).build(), PATIENCE);
    } catch (StapesException e) {
      LOG.info("instance {}: the clock of its guest is not set: {}", name, e.getMessage());
    }
    if (copy) {
      rename(agent);
    }
  }

  private void rename(GuestAgent agent) {
    try {
      agent.exec(List.of("/bin/sh", "-c", RENAME, "sh", name));
    } catch (StapesException e) {
      LOG.warn("instance {}: its guest keeps the name of another one: {}", name, e.getMessage());
    }
  }
}
