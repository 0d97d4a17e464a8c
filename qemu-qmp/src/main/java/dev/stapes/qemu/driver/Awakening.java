package dev.stapes.qemu.driver;

import dev.stapes.model.StapesException;
import dev.stapes.qmp.guest.GuestExec;
import dev.stapes.qmp.guest.GuestSetTime;
import dev.stapes.qmp.qemu.AnnounceSelf;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a guest is told that goes on from memory that was saved: what time it is, and who it is
 * where it is a copy. It is told by its agent; without one it believes what it did. What it is
 * connected to is told as well: its addresses are at other ports now.
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

  private final GuestAgent agent;
  private final AgentConnection connection;
  private final Monitor monitor;
  private final AtomicReference<@Nullable Guest> next = new AtomicReference<>();

  Awakening(GuestAgent agent, AgentConnection connection, Monitor monitor) {
    this.agent = agent;
    this.connection = connection;
    this.monitor = monitor;
  }

  private record Guest(String name, boolean copy) {}

  /**
   * There is something to tell.
   *
   * @param name of the instance
   * @param copy whether another one's memory was saved
   */
  void expect(String name, boolean copy) {
    next.set(new Guest(name, copy));
  }

  /** Tells it, where there is something. */
  void tell() {
    Guest guest = next.getAndSet(null);
    if (guest != null) {
      announce(guest.name());
      tell(guest.name(), guest.copy());
    }
  }

  /** With the times that QEMU has for it. */
  private void announce(String name) {
    try {
      monitor.execute(AnnounceSelf.of(50, 550, 5, 100));
    } catch (StapesException e) {
      LOG.info("instance {}: its network is not told of it: {}", name, e.getMessage());
    }
  }

  private void tell(String name, boolean copy) {
    try {
      if (!connection.isOpen()) {
        LOG.info("instance {}: no agent sets the clock of its guest", name);
        return; // it may have been saved while it booted
      }
      connection.hasBooted();
      Instant now = Instant.now();
      long nanos = Math.addExact(now.getEpochSecond() * 1_000_000_000, now.getNano());
      agent.call(GuestSetTime.builder().time(nanos).build(), PATIENCE);
    } catch (StapesException e) {
      LOG.info("instance {}: the clock of its guest is not set: {}", name, e.getMessage());
    }
    if (copy) {
      rename(name);
    }
  }

  private void rename(String name) {
    try {
      List<String> arguments = List.of("-c", RENAME, "sh", name);
      agent.call(GuestExec.builder("/bin/sh").arg(arguments).build(), PATIENCE);
    } catch (StapesException e) {
      LOG.warn("instance {}: its guest keeps the name of another one: {}", name, e.getMessage());
    }
  }
}
