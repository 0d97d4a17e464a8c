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
import dev.stapes.qmp.qemu.MigrationInfo;
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
      String why = monitor.execute(QueryMigrate.of()).errorDesc().orElse("QEMU does not say why");
      throw new StapesException(
          Kind.INTERNAL, subject, command.commandName() + ": " + end.text() + ": " + why);
    }
  }

  /** One that went on would stop the machine when it is complete, and nobody would let it go on. */
  private void abandon() {
    Uninterrupted.run(this::cancelAndWait);
  }

  private void cancelAndWait() {
    try (QmpExpectation<MigrationEvent> over =
        monitor.client().expect(MigrationEvent.class, event -> OVER.contains(event.status()))) {
      if (cancel()) {
        over.await(CANCEL);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (QmpException | StapesException e) {
      LOG.warn("{}: its state may still be on its way: {}", subject, e.getMessage());
    }
  }

  /** Ends one that is under way, maybe since an earlier JVM; false where there is none. */
  boolean cancel() {
    MigrationInfo info = monitor.execute(QueryMigrate.of());
    boolean running = info.status().filter(status -> !OVER.contains(status)).isPresent();
    if (running) {
      monitor.execute(MigrateCancel.of());
    }
    return running;
  }
}
