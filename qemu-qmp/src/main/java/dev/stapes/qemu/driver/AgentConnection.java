package dev.stapes.qemu.driver;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.qmp.QmpClient;
import dev.stapes.qmp.QmpDialect;
import dev.stapes.qmp.QmpException;
import dev.stapes.qmp.QmpExpectation;
import dev.stapes.qmp.QmpLoop;
import dev.stapes.qmp.QmpOptions;
import dev.stapes.qmp.QmpTimeoutException;
import dev.stapes.qmp.qemu.QueryChardev;
import dev.stapes.qmp.qemu.VserportChangeEvent;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * Waits for the guest agent of a machine, which comes while the guest boots, or never. Who asks for
 * one that was waited for in vain is told so at once, until somebody opens its port; who must reach
 * it tries all the same.
 */
final class AgentConnection implements GuestAgent.AgentPort {
  private static final String CHARDEV = "agent";
  private static final String NONE =
      "no agent runs in the guest: install the package qemu-guest-agent in its image";

  private static final String GONE = "the agent that ran in the guest does not run now";

  /** A guest that has not begun its agent so long after its start has none. */
  private static final Duration BOOT = Duration.ofMinutes(3);

  /** For one of a guest that has long booted: it may just be restarted. */
  private static final Duration LEAST = Duration.ofSeconds(5);

  private final QmpLoop loop;
  private final VmFiles files;
  private final String subject;
  private final Monitor monitor;
  private final Duration least;
  private final AgentAbsence absence = new AgentAbsence(System::nanoTime);
  private volatile Runnable closed = () -> {};
  private volatile Instant startedAt;
  private volatile boolean met;

  /** What an agent answers to is short: outputs do not come this way. */
  private static final QmpOptions LIMITS =
      QmpOptions.defaults().largestMessage(1 << 20).mostValues(10_000).deepestMessage(20);

  AgentConnection(QmpLoop loop, VmFiles files, String subject, Monitor monitor, Instant startedAt) {
    this(loop, files, subject, monitor, startedAt, LEAST);
  }

  /**
   * With another patience.
   *
   * @param least for the agent of a guest that has long booted
   */
  AgentConnection(
      QmpLoop loop,
      VmFiles files,
      String subject,
      Monitor monitor,
      Instant startedAt,
      Duration least) {
    this.least = least;
    this.loop = loop;
    this.files = files;
    this.subject = subject;
    this.monitor = monitor;
    this.startedAt = startedAt;
    monitor
        .client()
        .subscribe(
            VserportChangeEvent.class,
            event -> {
              if (event.id().equals(QemuArguments.AGENT_DEVICE)) {
                absence.changed();
                if (event.open()) {
                  met = true;
                }
                if (!event.open()) {
                  closed.run();
                }
              }
            });
  }

  @Override
  public void whenClosed(Runnable listener) {
    closed = listener;
  }

  /** The guest begins anew, and may take as long as before. */
  void restarted() {
    startedAt = Instant.now();
    absence.changed();
  }

  /** The guest had booted, with its agent, before its emulator was started. */
  void hasBooted() {
    startedAt = Instant.EPOCH;
  }

  /** The guest stood still, and its agent could not answer: it can now. */
  void goesOn() {
    absence.goesOn();
  }

  @Override
  public QmpClient connect() {
    return connect(false);
  }

  @Override
  public QmpClient connectAnyway() {
    return connect(true);
  }

  private QmpClient connect(boolean anyway) {
    try {
      awaitOpen(anyway);
      return QmpClient.connect(loop, files.agent(), QmpDialect.guestAgent(), LIMITS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(Kind.INTERRUPTED, subject, "interrupted", e);
    } catch (QmpException e) {
      String why = "its agent does not answer: " + e.getMessage();
      absence.silent(why);
      throw new StapesException(Kind.UNAVAILABLE, subject, why, e);
    }
  }

  private void awaitOpen(boolean anyway) throws InterruptedException {
    Duration left = BOOT.minus(Duration.between(startedAt, Instant.now()));
    Duration limit = left.compareTo(least) < 0 ? least : left;
    try (QmpExpectation<VserportChangeEvent> opened =
        monitor
            .client()
            .expect(
                VserportChangeEvent.class,
                event -> event.open() && event.id().equals(QemuArguments.AGENT_DEVICE))) {
      boolean open = isOpen();
      Optional<String> absent = absence.why(open);
      if (absent.isPresent() && !anyway) {
        throw new StapesException(Kind.UNAVAILABLE, subject, absent.get());
      }
      if (!open) {
        opened.await(limit);
      }
    } catch (QmpTimeoutException e) {
      String why = met ? GONE : NONE;
      absence.nobody(why);
      throw new StapesException(Kind.UNAVAILABLE, subject, why, e);
    }
  }

  /** Whether somebody in the guest has the port open. */
  boolean isOpen() {
    boolean open =
        monitor.execute(QueryChardev.of()).stream()
            .anyMatch(each -> each.label().equals(CHARDEV) && each.frontendOpen());
    if (open) {
      met = true;
    }
    return open;
  }
}
