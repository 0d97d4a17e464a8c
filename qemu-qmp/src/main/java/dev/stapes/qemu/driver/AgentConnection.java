package dev.stapes.qemu.driver;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.qmp.QmpClient;
import dev.stapes.qmp.QmpDialect;
import dev.stapes.qmp.QmpEvent;
import dev.stapes.qmp.QmpException;
import dev.stapes.qmp.QmpExpectation;
import dev.stapes.qmp.QmpOptions;
import dev.stapes.qmp.RawEvent;
import java.time.Duration;
import java.time.Instant;

/** Waits for the guest agent of a machine, which comes while the guest boots, or never. */
final class AgentConnection implements GuestAgent.AgentPort {
  private static final String PORT_CHANGED = "VSERPORT_CHANGE";

  /** A guest that has not begun its agent so long after its start has none. */
  private static final Duration BOOT = Duration.ofMinutes(3);

  /** For the agent of a guest that has long booted. */
  private static final Duration LEAST = Duration.ofSeconds(5);

  private final DriverContext context;
  private final VmFiles files;
  private final String subject;
  private final Monitor monitor;
  private final Instant startedAt;

  AgentConnection(
      DriverContext context, VmFiles files, String subject, Monitor monitor, Instant startedAt) {
    this.context = context;
    this.files = files;
    this.subject = subject;
    this.monitor = monitor;
    this.startedAt = startedAt;
  }

  @Override
  public QmpClient connect() {
    try {
      awaitOpen();
      return QmpClient.connect(
          context.loop(), files.agent(), QmpDialect.guestAgent(), QmpOptions.defaults());
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
    try (QmpExpectation<QmpEvent> opened =
        monitor.client().expect(QmpEvent.class, AgentConnection::isOpening)) {
      if (isOpen()) {
        return;
      }
      opened.await(limit);
    } catch (dev.stapes.qmp.QmpTimeoutException e) {
      throw new StapesException(
          Kind.UNAVAILABLE,
          subject,
          "no agent runs in the guest: install the package qemu-guest-agent in its image",
          e);
    }
  }

  private static boolean isOpening(QmpEvent event) {
    return event instanceof RawEvent raw
        && raw.eventName().equals(PORT_CHANGED)
        && raw.data().path("id").asText().equals(QemuArguments.AGENT_DEVICE)
        && raw.data().path("open").asBoolean();
  }

  /** Whether somebody in the guest has the port open. */
  boolean isOpen() {
    for (JsonNode each : monitor.tell("query-chardev")) {
      if (each.path("label").asText().equals("agent")) {
        return each.path("frontend-open").asBoolean();
      }
    }
    return false;
  }
}
