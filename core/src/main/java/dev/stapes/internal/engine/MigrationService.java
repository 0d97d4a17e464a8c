package dev.stapes.internal.engine;

import dev.stapes.internal.image.VolumeDisk;
import dev.stapes.internal.operation.Locks;
import dev.stapes.model.Device;
import dev.stapes.model.InstanceId;
import dev.stapes.model.InstanceType;
import dev.stapes.model.Lifetime;
import dev.stapes.model.Names;
import dev.stapes.model.Progress;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.model.Transport;
import dev.stapes.spi.Migrations;
import dev.stapes.spi.StoragePool;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Moves running instances between two engines of one JVM. See {@link Handovers}. */
public final class MigrationService {
  private final Catalog catalog;
  private final Work work;
  private final Drivers drivers;
  private final Allocation allocation;
  private final PoolService pools;
  private final Machines machines;
  private final LifecycleService lifecycle;
  private final SavedStates states;
  private final Handovers handovers;
  private final InstantSource clock;

  MigrationService(
      Catalog catalog,
      Work work,
      Drivers drivers,
      Allocation allocation,
      PoolService pools,
      Machines machines,
      LifecycleService lifecycle,
      SavedStates states,
      Handovers handovers,
      InstantSource clock) {
    this.catalog = catalog;
    this.work = work;
    this.drivers = drivers;
    this.allocation = allocation;
    this.pools = pools;
    this.machines = machines;
    this.lifecycle = lifecycle;
    this.states = states;
    this.handovers = handovers;
    this.clock = clock;
  }

  /**
   * What comes to the other engine.
   *
   * @param record what it is
   * @param description of its machine
   * @param diskSize of its root disk
   * @param transport by which it comes
   * @param send sends the machine
   * @param crossing whose it is
   */
  private record Traveller(
      InstanceRecord record,
      String description,
      Size diskSize,
      Transport transport,
      Consumer<Migrations.Arrival> send,
      Crossing crossing) {}

  /** What the source learns from the target. Of one thread. */
  private static final class Crossing {
    private final Path decision;
    private final Work.Step source;
    private boolean over;
    private boolean recorded;

    Crossing(Path decision, Work.Step source) {
      this.decision = decision;
      this.source = source;
    }

    /** The machine is the target's: from now on the source undoes nothing. */
    void decide(String subject) {
      if (Handovers.decide(decision, Handovers.Owner.TARGET) != Handovers.Owner.TARGET) {
        throw new StapesException(Kind.CONFLICT, subject, "its source has taken it back");
      }
      over = true;
      source.done();
    }
  }

  /** Moves a running instance to another engine, and answers its id there. */
  public InstanceId migrate(
      InstanceId id, MigrationService target, String name, Transport transport, Progress progress) {
    Names.instance(name);
    String subject = catalog.require(id).value().subject();
    if (target == this) {
      throw StapesException.invalid(subject, "is in that root directory already");
    }
    Locks.Claim claim = Locks.Claim.alone(Work.lockOf(id));
    return work.run(
        "instance-migrate",
        subject,
        () -> claim,
        progress,
        step -> depart(catalog.require(id).value(), target, name, transport, step));
  }

  private InstanceId depart(
      InstanceRecord record,
      MigrationService target,
      String name,
      Transport transport,
      Work.Step step) {
    Migrations way = requireMovable(record);
    Running running = machines.require(record.instanceId());
    requireGoing(record, running);
    String description = way.describe(record.instanceId());
    Crossing crossing = new Crossing(target.handovers.begin(clock.instant()), step);
    step.intend(Intent.departureOf(record, crossing.decision));
    catalog.sync(); // a decision must not outlive the intents that ask for it
    step.undo("run of " + record.subject(), () -> takeBack(way, record, running));
    Traveller traveller =
        new Traveller(
            allocation.derived(record),
            description,
            new VolumeDisk(pools.pool(record.pool()), record.volumeId(), record.subject()).size(),
            transport,
            arrival -> way.send(record.instanceId(), arrival, step.progress()),
            crossing);
    try {
      return target.arrive(traveller, name);
    } finally {
      if (crossing.over) {
        leave(record, running, crossing, step);
      }
    }
  }

  /** One that stands still all the same the next open lets go on. */
  private void takeBack(Migrations way, InstanceRecord record, Running running) {
    String later = IntentNames.still(record.instanceId());
    try {
      way.takeBack(record.instanceId());
    } catch (RuntimeException e) {
      if (!running.hasEnded() && running.machine().isFrozen()) {
        remember(later, Intent.stillnessOf(record), e);
      }
      throw e;
    }
    catalog.forgetIntent(later); // of a try before
  }

  private void remember(String id, Intent intent, RuntimeException cause) {
    try {
      catalog.change(false).put(id, intent).commit();
    } catch (StapesException e) {
      cause.addSuppressed(e);
    }
  }

  private Migrations requireMovable(InstanceRecord record) {
    states.require(record);
    Migrations way = wayOf(record.type(), record.subject());
    if (record.lifetime() != Lifetime.DURABLE) {
      throw StapesException.invalid(record.subject(), "only a durable instance moves");
    }
    if (!catalog.snapshots(record).isEmpty()) {
      throw unsupported(record, "it has snapshots, which do not move: delete them first");
    }
    record
        .typedDevices()
        .forEach(
            (name, device) -> {
              if (device instanceof Device.Disk disk && !disk.isRoot() && disk.pool().isPresent()) {
                throw unsupported(
                    record,
                    "its device "
                        + name
                        + " is a volume of this root directory, which does not move: remove it"
                        + " first");
              }
            });
    return way;
  }

  private static void requireGoing(InstanceRecord record, Running running) {
    if (running.machine().isFrozen() || running.machine().failure().isPresent()) {
      throw new StapesException(
          Kind.CONFLICT, record.subject(), "stands still: let it go on first");
    }
  }

  private static StapesException unsupported(InstanceRecord record, String why) {
    return new StapesException(Kind.UNSUPPORTED, record.subject(), why);
  }

  private Migrations wayOf(InstanceType type, String subject) {
    return drivers
        .of(type)
        .migrations()
        .orElseThrow(
            () ->
                new StapesException(
                    Kind.UNSUPPORTED, subject, "its driver cannot move a running machine"));
  }

  /** It is the other one's: what is here must not run any more. */
  private void leave(InstanceRecord record, Running running, Crossing crossing, Work.Step step) {
    boolean interrupted = Thread.interrupted();
    String trace = "left-" + record.id(); // the record goes before the decision
    try {
      Intent leaving = Intent.departureOf(record, crossing.decision);
      catalog.change(false).put(trace, leaving).commit();
      lifecycle.end(record, running, Optional.empty(), true);
      lifecycle.remove(catalog.require(record.instanceId()).value(), step);
      if (crossing.recorded) { // else the next open of the target needs the decision
        catalog.sync();
        Handovers.forget(crossing.decision);
        catalog.change(false).removeIntent(trace).commit();
      }
    } catch (RuntimeException e) {
      machines.outOfReach(record, "it has moved away, but its machine does not end");
      throw e;
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private InstanceId arrive(Traveller traveller, String name) {
    InstanceRecord draft = draft(traveller.record(), name);
    drivers.of(draft.type()).validate(Disks.unattached(draft));
    Locks.Claim claim =
        Locks.Claim.alone(Work.lockOfName(name))
            .with(Work.lockOf(draft.instanceId()))
            .sharing(Work.lockOfPool(draft.pool()));
    return work.run(
        "instance-create",
        draft.subject(),
        () -> claim,
        Progress.NONE,
        step -> {
          if (catalog.idOf(name).isPresent()) {
            throw new StapesException(Kind.CONFLICT, draft.subject(), "exists already");
          }
          make(traveller, draft, step);
          allocation.use(draft, chosen -> take(traveller, chosen, step));
          return draft.instanceId();
        });
  }

  private InstanceRecord draft(InstanceRecord from, String name) {
    InstanceId id = Ids.instance();
    TreeMap<String, String> config = new TreeMap<>(from.config());
    config.keySet().removeIf(key -> key.startsWith("volatile.") && !isSeenInside(key));
    String pool = pools.defaultName();
    SortedMap<String, SortedMap<String, String>> devices = new TreeMap<>();
    from.typedDevices()
        .forEach(
            (device, what) -> {
              if (!(what instanceof Device.None)) {
                TreeMap<String, String> keys = new TreeMap<>(from.devices().get(device));
                if (what instanceof Device.Disk disk && disk.isRoot()) {
                  keys.put("pool", pool);
                }
                devices.put(device, keys);
              }
            });
    InstanceRecord draft =
        new InstanceRecord(
            id.value(),
            name,
            from.type(),
            from.description(),
            from.lifetime(),
            null, // images and templates do not move
            null,
            pool,
            Ids.volumeOf(id),
            config,
            devices,
            from.createdAt(),
            from.lastStartedAt());
    return LifecycleService.withPower(draft, "RUNNING");
  }

  /** The guest has it, and goes on with it: the address of an interface. */
  private static boolean isSeenInside(String key) {
    return key.endsWith(".hwaddr");
  }

  /** Makes its volume, whatever is chosen for it. */
  private void make(Traveller traveller, InstanceRecord draft, Work.Step step) {
    StoragePool pool = pools.pool(draft.pool());
    step.intend(Intent.arrivalOf(draft, traveller.crossing().decision));
    step.undo("volume " + draft.volumeId(), () -> Trash.takeBack(pool, draft.volumeId()));
    pool.create(draft.volumeId());
    new VolumeDisk(pool, draft.volumeId(), draft.subject())
        .create(Optional.of(traveller.diskSize()));
  }

  private void take(Traveller traveller, InstanceRecord record, Work.Step step) {
    step.amend(Intent.arrivalOf(record, traveller.crossing().decision));
    catalog.sync();
    AtomicReference<Migrations.@Nullable Arrival> arrival = new AtomicReference<>();
    Migrations way = wayOf(record.type(), record.subject());
    Running running =
        machines.arrive(
            record,
            spec -> {
              Migrations.Arrival begun =
                  way.receive(spec, traveller.description(), traveller.transport());
              arrival.set(begun);
              return begun.machine();
            });
    step.undo("machine of " + record.subject(), () -> end(running));
    try (Migrations.Arrival waiting = Objects.requireNonNull(arrival.get())) {
      traveller.send().accept(waiting);
    }
    Work.checkInterrupt(record.subject());
    if (running.hasEnded()) {
      throw new StapesException(
          Kind.UNAVAILABLE, record.subject(), "its machine has ended: it has not moved");
    }
    traveller.crossing().decide(record.subject());
    step.done();
    goOn(record, running, traveller.crossing(), step);
  }

  private void end(Running running) {
    running.expectEnd();
    try {
      if (!running.hasEnded()) {
        running.machine().kill();
      }
    } finally {
      machines.ended(running);
    }
  }

  /** From the decision on: a crash leaves an intent by which the next open does the rest. */
  private void goOn(InstanceRecord record, Running running, Crossing crossing, Work.Step step) {
    boolean interrupted = Thread.interrupted(); // it is too late to give up
    try {
      String intent = IntentNames.still(record.instanceId());
      step.conclude(catalog.change(false).insert(record).put(intent, Intent.stillnessOf(record)));
      try {
        running.machine().unfreeze();
      } finally {
        catalog.sync();
        crossing.recorded = true;
      }
      catalog.change(false).removeIntent(intent).commit();
      work.happened("instance-created", record.subject(), Map.of("id", record.id()));
      work.happened("instance-started", record.subject(), Map.of("id", record.id()));
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
