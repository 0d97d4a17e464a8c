package dev.stapes.qemu.driver;

import dev.stapes.model.StapesException;
import dev.stapes.qmp.qemu.SystemPowerdown;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** By which a guest is asked to shut down. One that boots does not look at it yet. */
final class PowerButton {
  private static final Logger LOG = LoggerFactory.getLogger(PowerButton.class);

  private final String subject;
  private final Monitor monitor;
  private final GuestAgent agent;
  private final AgentConnection connection;
  private final Executor behind;
  private final AtomicBoolean again = new AtomicBoolean();

  /**
   * That of a machine.
   *
   * @param behind waits for a guest that boots
   */
  PowerButton(
      String subject,
      Monitor monitor,
      GuestAgent agent,
      AgentConnection connection,
      Executor behind) {
    this.subject = subject;
    this.monitor = monitor;
    this.agent = agent;
    this.connection = connection;
    this.behind = behind;
  }

  /** Presses it, and once more where the guest has booted behind that. */
  void press() {
    boolean boots = !connection.isOpen();
    monitor.execute(SystemPowerdown.of());
    if (boots && again.compareAndSet(false, true)) {
      behind.execute(this::pressOnceBooted);
    }
  }

  private void pressOnceBooted() {
    try {
      agent.await();
      monitor.execute(SystemPowerdown.of());
    } catch (StapesException | InterruptedException e) {
      LOG.debug("{}: its button is not pressed again: {}", subject, e.getMessage());
    } finally {
      again.set(false);
    }
  }
}
