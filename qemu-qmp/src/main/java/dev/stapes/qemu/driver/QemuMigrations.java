package dev.stapes.qemu.driver;

import dev.stapes.model.InstanceId;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.model.Transport;
import dev.stapes.qmp.qemu.RunState;
import dev.stapes.spi.Machine;
import dev.stapes.spi.Migrations;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Moves virtual machines between two QEMUs: QEMU's migration, with a mirror of the root disk. */
final class QemuMigrations implements Migrations {
  private static final String REFUSAL = "it cannot move";

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
    SortedMap<String, String> devices = devices(machine.spec());
    Likeness bare = likeness(machine);
    Map<String, String> slots = machine.requireAsStarted(REFUSAL, bare.arguments());
    String subject = "instance " + machine.spec().name();
    List<PluggedDevice> plugged = PluggedDevice.all(subject, REFUSAL, slots, devices);
    SortedMap<String, String> bridges =
        TapBridges.of(context.root(), context.sys()).of(machine.spec());
    return new Likeness(bare.qemu(), bare.arguments(), bare.diskSize(), plugged, bridges).write();
  }

  private SortedMap<String, String> devices(Machine.Spec spec) {
    try {
      return MovableDevices.of(spec, context.host().mounts()::local);
    } catch (IOException e) {
      throw IoFailure.of("instance " + spec.name(), "a source of its devices", e);
    }
  }

  private Likeness likeness(QemuMachine machine) {
    Machine.Spec spec = machine.spec();
    try {
      return new Likeness(
          context.qemu().version().toString(),
          CommandLine.of(context.root().process(machine.pid())),
          context.rootSize(spec),
          List.of(),
          Map.of());
    } catch (IOException e) {
      throw IoFailure.of("instance " + spec.name(), "what it is cannot be read", e);
    }
  }

  @Override
  public Arrival receive(Machine.Spec spec, String description, Transport transport) {
    String subject = "instance " + spec.name();
    Likeness source = Likeness.read(subject, description);
    source.requireSameDevices(subject, devices(spec));
    AtomicReference<@Nullable Arriving> arriving = new AtomicReference<>();
    Machine unusedSame =
        starting.start(
            spec,
            VmRoom.of(source.arguments()),
            machine -> {
              Likeness here = likeness(machine);
              source.requireSame(subject, here);
              machine.plug(source.slots());
              TapBridges.join(context.sys(), spec, source.bridges());
              Arriving begun = machine.ways().arriving(transport, source.diskSizeIn(here));
              begun.listen();
              arriving.set(begun);
            });
    return Objects.requireNonNull(arriving.get());
  }

  @Override
  public void send(InstanceId id, Arrival arrival, Progress progress) {
    QemuMachine machine = require(id);
    Arriving known =
        arrival
            .as(Arriving.class)
            .orElseThrow(
                () ->
                    StapesException.invalid("instance " + id, "arrives at another kind of driver"));
    machine.ways().departure().send(arrival, known.sockets(), progress);
  }

  @Override
  public void takeBack(InstanceId id) {
    Optional<QemuMachine> machine = machines.apply(id).filter(QemuMachine::isAlive);
    machine.ifPresent(here -> Uninterrupted.run(() -> takeBack(here)));
  }

  private static void takeBack(QemuMachine machine) {
    Departure.Abandoned end = machine.ways().departure().abandon();
    goOn("instance " + machine.spec().name(), end, machine::unfreeze);
  }

  /** It goes on even where something of its move is left, which is told then. */
  static void goOn(String subject, Departure.Abandoned end, Runnable unfreeze) {
    RunState state = end.state();
    Settlement.all(
        List.of(
            () -> {
              if (state == RunState.FINISH_MIGRATE) {
                throw new StapesException(
                    Kind.TIMED_OUT, subject, "its migration does not end: it stands still");
              }
              if (state == RunState.POSTMIGRATE || state == RunState.PAUSED) {
                unfreeze.run();
              }
            },
            () ->
                end.failure()
                    .ifPresent(
                        e -> {
                          throw e;
                        })));
  }
}
