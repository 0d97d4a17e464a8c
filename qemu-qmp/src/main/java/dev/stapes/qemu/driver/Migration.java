package dev.stapes.qemu.driver;

import dev.stapes.linux.Fd;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.qmp.QmpCommand;
import dev.stapes.qmp.QmpException;
import dev.stapes.qmp.QmpExpectation;
import dev.stapes.qmp.qemu.Migrate;
import dev.stapes.qmp.qemu.MigrateCancel;
import dev.stapes.qmp.qemu.MigrateIncoming;
import dev.stapes.qmp.qemu.MigrateSetCapabilities;
import dev.stapes.qmp.qemu.MigrationCapability;
import dev.stapes.qmp.qemu.MigrationCapabilityStatus;
import dev.stapes.qmp.qemu.MigrationEvent;
import dev.stapes.qmp.qemu.MigrationStatus;
import dev.stapes.qmp.qemu.QueryMigrate;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The state of a machine on its way to a file, or from one: QEMU's migration. */
final class Migration {
  private static final String FD = "stapes-state";
  private static final Duration LONGEST = Duration.ofMinutes(30);
  private static final Duration CANCEL = Duration.ofSeconds(30);
  private static final Logger LOG = LoggerFactory.getLogger(Migration.class);

  private static final Set<MigrationStatus> OVER =
      EnumSet.of(MigrationStatus.COMPLETED, MigrationStatus.FAILED, MigrationStatus.CANCELLED);

  private final String subject;
  private final Monitor monitor;

  Migration(String subject, Monitor monitor) {
    this.subject = subject;
    this.monitor = monitor;
  }

  /**
   * Writes the state to a file.
   *
   * @param memory whether with the memory
   */
  void save(Fd file, boolean memory) {
    run(file, memory, Migrate.builder().uri("fd:" + FD).build());
  }

  /** Reads what {@link #save} has written. */
  void load(Fd file, boolean memory) {
    run(file, memory, MigrateIncoming.builder().uri("fd:" + FD).build());
  }

  private void run(Fd file, boolean memory, QmpCommand<?> command) {
    monitor.execute(
        MigrateSetCapabilities.of(
            List.of(
                MigrationCapabilityStatus.of(MigrationCapability.EVENTS, true),
                MigrationCapabilityStatus.of(MigrationCapability.X_IGNORE_SHARED, !memory))));
    @Nullable MigrationStatus end = null;
    try (QmpExpectation<MigrationEvent> over =
        monitor.client().expect(MigrationEvent.class, event -> OVER.contains(event.status()))) {
      monitor.client().getFd(FD, file);
      monitor.execute(command);
      end = over.await(LONGEST).status();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(Kind.INTERRUPTED, subject, "interrupted", e);
    } catch (QmpException e) {
      throw Monitor.failed(subject, command.commandName(), e);
    } finally {
      if (end == null) {
        abandon();
      }
    }
    if (end != MigrationStatus.COMPLETED) {
      throw new StapesException(
          Kind.INTERNAL, subject, command.commandName() + ": " + end.text() + ": " + why(monitor));
    }
  }

  /** One that went on would stop the machine when it is complete, and nobody would let it go on. */
  private void abandon() {
    Uninterrupted.run(this::tryToCancel);
  }

  private void tryToCancel() {
    try {
      cancel();
    } catch (StapesException e) {
      LOG.warn("{}: its state may still be on its way: {}", subject, e.getMessage());
    }
  }

  /** Ends one that is under way, maybe since an earlier JVM, and waits until it has. */
  void cancel() {
    try (QmpExpectation<MigrationEvent> over =
        monitor.client().expect(MigrationEvent.class, event -> isOver(event.status()))) {
      if (isUnderWay()) {
        monitor.execute(MigrateCancel.of());
        MigrationEvent unusedEnd = over.await(CANCEL);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(Kind.INTERRUPTED, subject, "interrupted", e);
    } catch (QmpException e) {
      throw Monitor.failed(subject, "migrate_cancel", e);
    }
  }

  private boolean isUnderWay() {
    return monitor
        .execute(QueryMigrate.of())
        .status()
        .filter(status -> status != MigrationStatus.NONE && !OVER.contains(status))
        .isPresent();
  }

  /** Whether one that is so goes on no more. */
  static boolean isOver(MigrationStatus status) {
    return OVER.contains(status);
  }

  /** Why one failed. */
  static String why(Monitor monitor) {
    return monitor.execute(QueryMigrate.of()).errorDesc().orElse("QEMU does not say why");
  }

  /**
   * How it is done from now on.
   *
   * @param moving whether it is that of a running machine: it is slowed down where its memory
   *     changes faster than it goes, and waits before the last of it goes
   */
  static MigrateSetCapabilities capabilities(boolean moving) {
    return MigrateSetCapabilities.of(
        List.of(
            MigrationCapabilityStatus.of(MigrationCapability.EVENTS, true),
            MigrationCapabilityStatus.of(MigrationCapability.X_IGNORE_SHARED, false),
            MigrationCapabilityStatus.of(MigrationCapability.AUTO_CONVERGE, moving),
            MigrationCapabilityStatus.of(MigrationCapability.PAUSE_BEFORE_SWITCHOVER, moving)));
  }

  /**
   * How one is received: disks that the other one has as well are taken when it goes on, and not
   * when all has come. Until then they can be taken back.
   */
  static MigrateSetCapabilities receiving() {
    return MigrateSetCapabilities.of(
        List.of(
            MigrationCapabilityStatus.of(MigrationCapability.EVENTS, true),
            MigrationCapabilityStatus.of(MigrationCapability.X_IGNORE_SHARED, false),
            MigrationCapabilityStatus.of(MigrationCapability.LATE_BLOCK_ACTIVATE, true)));
  }
}
