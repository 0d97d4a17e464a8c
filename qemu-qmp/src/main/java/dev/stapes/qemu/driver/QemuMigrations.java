package dev.stapes.qemu.driver;

import dev.stapes.model.InstanceId;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.qmp.qemu.RunState;
import dev.stapes.spi.Machine;
import dev.stapes.spi.Migrations;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Moves virtual machines between two QEMUs: QEMU's migration, with a mirror of the root disk. */
final class QemuMigrations implements Migrations {
  private final DriverContext context;
  private final Function<InstanceId, Optional<QemuMachine>> machines;
  private final Starting starting;

  /**
   * Starts a machine that waits for another one's state, with room for the same, and ends it where
   * that cannot be had.
   */
  interface Starting {
    Machine start(Machine.Spec spec, VmRoom room, Consumer<QemuMachine> fill);
  }

  QemuMigrations(
      DriverContext context,
      Function<InstanceId, Optional<QemuMachine>> machines,
      Starting starting) {
    this.context = context;
    this.machines = machines;
    this.starting = starting;
  }

  private QemuMachine require(InstanceId id) {
    return machines
        .apply(id)
        .orElseThrow(() -> new StapesException(Kind.CONFLICT, "instance " + id, "is not running"));
  }

  @Override
  public String describe(InstanceId id) {
    QemuMachine machine = require(id);
    DiskBus.requireSavable(machine.spec());
    HostDevices.requireNone(machine.spec());
    Likeness likeness = likeness(machine);
    machine.requireAsStarted(likeness.arguments());
    return likeness.write();
  }

  private Likeness likeness(QemuMachine machine) {
    Machine.Spec spec = machine.spec();
    try {
      return new Likeness(
          context.qemu().version().toString(),
          CommandLine.of(machine.pid()),
          Files.size(context.host().mounts().local(VmPlan.disk(spec))));
    } catch (IOException e) {
      throw IoFailure.of("instance " + spec.name(), "what it is cannot be read", e);
    }
  }

  @Override
  public Arrival receive(Machine.Spec spec, String description) {
    String subject = "instance " + spec.name();
    Likeness source = Likeness.read(subject, description);
    AtomicReference<@Nullable Arriving> arriving = new AtomicReference<>();
    Machine unusedSame =
        starting.start(
            spec,
            VmRoom.of(source.arguments()),
            machine -> {
              source.requireSame(subject, likeness(machine));
              Arriving begun = machine.arriving();
              begun.listen();
              arriving.set(begun);
            });
    return Objects.requireNonNull(arriving.get());
  }

  @Override
  public void send(InstanceId id, Arrival arrival, Progress progress) {
    require(id).departure().send(arrival, progress);
  }

  @Override
  public void takeBack(InstanceId id) {
    Optional<QemuMachine> machine = machines.apply(id).filter(QemuMachine::isAlive);
    if (machine.isPresent()) {
      RunState state = machine.get().departure().abandon();
      if (state == RunState.POSTMIGRATE || state == RunState.PAUSED) {
        machine.get().unfreeze();
      }
    }
  }
}
