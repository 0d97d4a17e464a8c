package dev.stapes.qemu.driver;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.qmp.QmpClient;
import dev.stapes.qmp.QmpDialect;
import dev.stapes.qmp.QmpException;
import dev.stapes.qmp.QmpExpectation;
import dev.stapes.qmp.QmpOptions;
import dev.stapes.qmp.QmpTimeoutException;
import dev.stapes.qmp.qemu.QueryChardev;
import dev.stapes.qmp.qemu.VserportChangeEvent;
import java.time.Duration;
import java.time.Instant;

/** Waits for the guest agent of a machine, which comes while the guest boots, or never. */
final class AgentConnection implements GuestAgent.AgentPort {
  private static final String CHARDEV = "agent";

  /** A guest that has not begun its agent so long after its start has none. */
  private static final Duration BOOT = Duration.ofMinutes(3);

  /** For the agent of a guest that has long booted. */
  private static final Duration LEAST = Duration.ofSeconds(5);

  private final DriverContext context;
  private final VmFiles files;
  private final String subject;
  private final Monitor monitor;
  private volatile Instant startedAt;

  /** What an agent answers to is short: outputs do not come this way. */
  private static final QmpOptions LIMITS =
      QmpOptions.defaults().largestMessage(1 << 20).mostValues(10_000).deepestMessage(20);

  AgentConnection(
      DriverContext context, VmFiles files, String subject, Monitor monitor, Instant startedAt) {
    this.context = context;
    this.files = files;
    this.subject = subject;
    this.monitor = monitor;
    this.startedAt = startedAt;
  }

  /** The guest begins anew, and may take as long as before. */
  void restarted() {
    startedAt = Instant.now();
  }

  @Override
  public QmpClient connect() {
    try {
      awaitOpen();
      return QmpClient.connect(context.loop(), files.agent(), QmpDialect.guestAgent(), LIMITS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(Kind.INTERRUPTED, subject, "interrupted", e);
    } catch (QmpException e) {
      throw new StapesException(
          Kind.UNAVAILABLE, subject, "its agent does not answer: " + e.getMessage(), e);
    }
  }

  private void awaitOpen() throws InterruptedException {
    Duration left = BOOT.minus(Duration.between(startedAt, Instant.now()));
    Duration limit = left.compareTo(LEAST) < 0 ? LEAST : left;
    try (QmpExpectation<VserportChangeEvent> opened =
        monitor
            .client()
            .expect(
                VserportChangeEvent.class,
                event -> event.open() && event.id().equals(QemuArguments.AGENT_DEVICE))) {
      if (isOpen()) {
        return;
      }
      opened.await(limit);
    } catch (QmpTimeoutException e) {
      throw new StapesException(
          Kind.UNAVAILABLE,
          subject,
          "no agent runs in the guest: install the package qemu-guest-agent in its image",
          e);
    }
  }

  /** Whether somebody in the guest has the port open. */
  boolean isOpen() {
    return monitor.execute(QueryChardev.of()).stream()
        .anyMatch(each -> each.label().equals(CHARDEV) && each.frontendOpen());
  }
}
