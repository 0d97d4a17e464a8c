package dev.stapes.qemu.driver;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.model.Transport;
import dev.stapes.qmp.QmpException;
import dev.stapes.qmp.QmpExpectation;
import dev.stapes.qmp.RawCommand;
import dev.stapes.qmp.qemu.BlockdevAdd;
import dev.stapes.qmp.qemu.BlockdevDel;
import dev.stapes.qmp.qemu.BlockdevOptions;
import dev.stapes.qmp.qemu.MigrateIncoming;
import dev.stapes.qmp.qemu.MigrationEvent;
import dev.stapes.qmp.qemu.MigrationStatus;
import dev.stapes.qmp.qemu.NbdServerStop;
import dev.stapes.spi.Machine;
import dev.stapes.spi.Migrations;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A QEMU that takes the disk and the state of another one. */
final class Arriving implements Migrations.Arrival {
  /** What its disk is called by who writes it. */
  static final String EXPORT = "root";

  /** The part of a disk that has as many bytes as the one that comes. */
  private static final String PART = "arriving";

  private static final Logger LOG = LoggerFactory.getLogger(Arriving.class);
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private final QemuMachine machine;
  private final String subject;
  private final Monitor monitor;
  private final ArrivalSockets sockets;
  private final TlsEnd tls;
  private final OptionalLong diskSize;
  private @Nullable QmpExpectation<MigrationEvent> over;

  /**
   * Of a machine that waits.
   *
   * @param diskSize bytes of the disk that comes, where its own has more: a mirror wants as many
   */
  Arriving(
      QemuMachine machine,
      String subject,
      Monitor monitor,
      VmFiles files,
      Syscalls sys,
      Transport transport,
      OptionalLong diskSize) {
    this.machine = machine;
    this.diskSize = diskSize;
    this.subject = subject;
    this.monitor = monitor;
    this.sockets = ArrivalSockets.of(transport, subject, monitor, files, sys);
    this.tls = new TlsEnd(subject, monitor, files, sys);
  }

  /** Opens its sockets; where that fails the caller ends the machine. */
  void listen() {
    boolean done = false;
    try {
      sockets.key().ifPresent(key -> tls.begin(TlsEnd.Side.SERVER, key));
      serveDisk();
      monitor.execute(Migration.receiving());
      over =
          monitor.client().expect(MigrationEvent.class, event -> Migration.isOver(event.status()));
      monitor.execute(MigrateIncoming.builder().uri(sockets.listenForMemory()).build());
      done = true;
    } finally {
      if (!done) {
        closeSockets();
      }
    }
  }

  private void serveDisk() {
    ObjectNode server = sockets.listenForDisk();
    if (sockets.key().isPresent()) {
      server.put("tls-creds", TlsEnd.ID);
    }
    monitor.execute(new RawCommand("nbd-server-start", server));
    ObjectNode export = JsonNodeFactory.instance.objectNode();
    export.put("type", "nbd").put("id", EXPORT).put("name", EXPORT);
    export.put("node-name", part()).put("writable", true);
    monitor.execute(new RawCommand("block-export-add", export));
  }

  private String part() {
    if (diskSize.isEmpty()) {
      return QemuArguments.ROOT_NODE;
    }
    ObjectNode part = JsonNodeFactory.instance.objectNode();
    part.put("driver", "raw").put("node-name", PART).put("size", diskSize.getAsLong());
    part.put("discard", "unmap").put("file", QemuArguments.ROOT_NODE);
    monitor.execute(BlockdevAdd.of(BlockdevOptions.fromJson(part)));
    return PART;
  }

  /** Where it is sent to. */
  ArrivalSockets sockets() {
    return sockets;
  }

  @Override
  public Machine machine() {
    return machine;
  }

  @Override
  public <T> Optional<T> as(Class<T> type) {
    return Optional.of(this).filter(type::isInstance).map(type::cast);
  }

  /** It could not have its disk for itself while somebody else may write to it. */
  @Override
  public void diskIsWhole() {
    monitor.execute(NbdServerStop.of());
    if (diskSize.isPresent()) {
      monitor.execute(BlockdevDel.of(PART));
    }
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
    closeSockets();
    if (sockets.key().isPresent() && machine.isAlive()) {
      Uninterrupted.run(this::forgetKey);
    }
  }

  private void forgetKey() {
    try {
      tls.forget();
    } catch (StapesException e) {
      LOG.info("{}: the key of its move is left until it ends: {}", subject, e.getMessage());
    }
  }

  private void closeSockets() {
    if (over != null) {
      over.close();
    }
    sockets.close();
  }
}
