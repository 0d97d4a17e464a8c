package dev.stapes.qemu.driver;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.qmp.QmpException;
import dev.stapes.qmp.QmpExpectation;
import dev.stapes.qmp.RawCommand;
import dev.stapes.qmp.qemu.MigrateIncoming;
import dev.stapes.qmp.qemu.MigrationEvent;
import dev.stapes.qmp.qemu.MigrationStatus;
import dev.stapes.qmp.qemu.NbdServerStop;
import dev.stapes.spi.Machine;
import dev.stapes.spi.Migrations;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** A QEMU that takes the disk and the state of another one, over sockets in its own directory. */
final class Arriving implements Migrations.Arrival {
  /** What its disk is called by who writes it. */
  static final String EXPORT = "root";

  private static final String DISK = "arriving-disk";
  private static final String MEMORY = "arriving-memory";
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private final QemuMachine machine;
  private final String subject;
  private final Monitor monitor;
  private final VmFiles files;
  private @Nullable QmpExpectation<MigrationEvent> over;

  Arriving(QemuMachine machine, String subject, Monitor monitor, VmFiles files) {
    this.machine = machine;
    this.subject = subject;
    this.monitor = monitor;
    this.files = files;
  }

  /** Opens its sockets. */
  void listen() {
    ObjectNode server = JsonNodeFactory.instance.objectNode();
    server.putObject("addr").put("type", "unix").putObject("data").put("path", DISK);
    monitor.execute(new RawCommand("nbd-server-start", server));
    ObjectNode export = JsonNodeFactory.instance.objectNode();
    export.put("type", "nbd").put("id", EXPORT).put("name", EXPORT);
    export.put("node-name", QemuArguments.ROOT_NODE).put("writable", true);
    monitor.execute(new RawCommand("block-export-add", export));
    monitor.execute(Migration.capabilities(false));
    over = monitor.client().expect(MigrationEvent.class, event -> Migration.isOver(event.status()));
    monitor.execute(MigrateIncoming.builder().uri("unix:" + MEMORY).build());
  }

  @Override
  public Machine machine() {
    return machine;
  }

  @Override
  public Path disk() {
    return files.directory().resolve(DISK);
  }

  @Override
  public Path memory() {
    return files.directory().resolve(MEMORY);
  }

  /** It could not have its disk for itself while somebody else may write to it. */
  @Override
  public void diskIsWhole() {
    monitor.execute(NbdServerStop.of());
  }

  @Override
  public void awaitWhole() {
    QmpExpectation<MigrationEvent> end = over;
    if (end == null) {
      throw new IllegalStateException(subject + " does not listen");
    }
    try {
      MigrationStatus status = end.await(PATIENCE).status();
      if (status != MigrationStatus.COMPLETED) {
        throw new StapesException(
            Kind.INTERNAL, subject, "its state: " + status.text() + ": " + Migration.why(monitor));
      }
      machine.loaded(machine.id().value()); // its clock has stood meanwhile
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(Kind.INTERRUPTED, subject, "interrupted", e);
    } catch (QmpException e) {
      throw Monitor.failed(subject, "its state", e);
    }
  }

  @Override
  public void close() {
    if (over != null) {
      over.close();
    }
  }
}
