package dev.stapes.internal.engine;

import dev.stapes.model.Device;
import dev.stapes.model.InstanceId;
import dev.stapes.model.InstanceInfo;
import dev.stapes.model.InstanceType;
import dev.stapes.model.Lifetime;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Machine;
import dev.stapes.spi.MemoryStates;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The memory of machines that was saved, in a directory beside their disks. Which directory is the
 * memory that belongs to a disk is said by the record: one that no record names is of no use to
 * anybody. A record that names one is that of an instance whose processors do not run; so the disk
 * is as it was when the memory was saved.
 */
final class SavedStates {
  private static final Logger LOG = LoggerFactory.getLogger(SavedStates.class);

  /** What the directories are called, before their ids. */
  private static final String PREFIX = "state-";

  private static final String MIGRATION_STATEFUL = "migration.stateful";
  private static final int MODE = 0700;

  private final Catalog catalog;
  private final Drivers drivers;
  private final PoolService pools;

  SavedStates(Catalog catalog, Drivers drivers, PoolService pools) {
    this.catalog = catalog;
    this.drivers = drivers;
    this.pools = pools;
  }

  /** The id of the state that a config names. */
  static Optional<String> idIn(Map<String, String> config) {
    return Optional.ofNullable(config.get(InstanceInfo.STATE));
  }

  /** The record with a state, or without any. */
  static InstanceRecord with(InstanceRecord record, Optional<String> state) {
    TreeMap<String, String> config = new TreeMap<>(record.config());
    config.remove(InstanceInfo.STATE);
    state.ifPresent(id -> config.put(InstanceInfo.STATE, id));
    return record.with(record.description(), config, record.devices());
  }

  /** Where a state is, in an attached root disk. */
  static Path directory(Machine.Spec spec, String state) {
    return spec.root().path().resolve(PREFIX + state);
  }

  /**
   * Fails where the memory of an instance cannot be saved.
   *
   * @return its driver's way to do it
   */
  MemoryStates require(InstanceRecord record) {
    if (record.type() == InstanceType.CONTAINER) {
      throw new StapesException(
          Kind.UNSUPPORTED, record.subject(), "the memory of a container cannot be saved");
    }
    MemoryStates states = of(record);
    if (!"true".equals(record.config().getOrDefault(MIGRATION_STATEFUL, "false"))) {
      throw StapesException.invalid(
          record.subject(), "its memory is saved only with " + MIGRATION_STATEFUL + "=true");
    }
    return states;
  }

  /** The id of the state of a snapshot; INVALID where it has none. */
  static String require(SnapshotRecord snapshot, InstanceRecord owner) {
    String subject = "snapshot " + owner.name() + "/" + snapshot.name();
    String state =
        idIn(snapshot.config())
            .orElseThrow(
                () -> StapesException.invalid(subject, "it has no memory: it was made without"));
    requireRootAlone(subject, InstanceRecord.devicesOf(snapshot.devices()));
    return state;
  }

  /** Fails where an instance has disks of which a snapshot has no part, as its memory does. */
  static void requireRootAlone(InstanceRecord record) {
    requireRootAlone(record.subject(), record.typedDevices());
  }

  private static void requireRootAlone(String subject, Map<String, Device> devices) {
    devices.forEach(
        (name, device) -> {
          if (device instanceof Device.Disk disk && !disk.isRoot()) {
            throw new StapesException(
                Kind.UNSUPPORTED,
                subject,
                "memory of an instance with disk "
                    + name
                    + " fits no snapshot, which does not have the content of that");
          }
        });
  }

  /** How memory is saved and loaded. */
  MemoryStates of(InstanceRecord record) {
    return drivers
        .of(record.type())
        .memoryStates()
        .orElseThrow(
            () ->
                new StapesException(
                    Kind.UNSUPPORTED,
                    record.subject(),
                    "its driver cannot save the memory of a machine"));
  }

  /** Fails where an instance does not outlive its machine. */
  static void requireDurable(InstanceRecord record) {
    if (record.lifetime() != Lifetime.DURABLE) {
      throw StapesException.invalid(
          record.subject(), "it is deleted when it stops, and so would be its memory");
    }
  }

  /**
   * Stops a machine in its tracks and saves its memory. Whoever calls has written an intent that
   * lets it go on after a crash. Where the step fails it goes on.
   *
   * @return the id of the state, which no record names yet
   */
  String save(InstanceRecord record, Running running, Work.Step step) {
    MemoryStates states = require(record);
    Machine machine = running.machine();
    if (machine.isFrozen()) {
      throw new StapesException(Kind.CONFLICT, record.subject(), "is frozen: let it go on first");
    }
    if (machine.failure().isPresent()) {
      throw new StapesException(
          Kind.CONFLICT, record.subject(), "stands still: " + machine.failure().get());
    }
    String state = Ids.state();
    step.undo("saved memory of " + record.subject(), () -> keepOnly(record, Optional.empty()));
    step.undo("stillness of " + record.subject(), machine::unfreeze);
    machine.freeze();
    keepOnly(record, Optional.empty());
    try (Tree tree = tree(record, record.volumeId())) {
      tree.mkdir(PREFIX + state, MODE);
    }
    states.save(record.instanceId(), directory(running.spec(), state));
    return state;
  }

  /** See {@link Resumption#goOn}. */
  void goOn(InstanceRecord saved, InstanceRecord now, Running started) {
    new Resumption(catalog).goOn(saved, now, started.machine(), () -> tidy(now));
  }

  /**
   * Has the guest of a machine be told that it goes on from a state: the JVM that loaded it may not
   * have come to that. Does nothing where the state has been removed since.
   */
  void awaken(InstanceId id, Running running, String state) {
    catalog
        .instance(id)
        .ifPresent(record -> of(record.value()).awaken(id, directory(running.spec(), state)));
  }

  /** Forgets the state of an instance that does not run. */
  InstanceRecord forget(InstanceRecord record) {
    if (idIn(record.config()).isEmpty()) {
      return record;
    }
    InstanceRecord now = with(record, Optional.empty());
    catalog.change(now.isThrowaway()).put(now).commit();
    tidy(now);
    return now;
  }

  /** Removes what is left of the states of an instance whose operation was cut short. */
  void tidy(InstanceId id) {
    catalog.instance(id).map(Catalog.Stored::value).ifPresent(this::tidy);
  }

  private void tidy(InstanceRecord record) {
    try {
      keepOnly(record, idIn(record.config()));
    } catch (StapesException e) {
      LOG.warn("{}: a saved memory that is of no use stays: {}", record.subject(), e.getMessage());
    }
  }

  /** Removes all states from the volume of an instance but one. */
  void keepOnly(InstanceRecord record, Optional<String> state) {
    if (record.type() == InstanceType.CONTAINER) {
      return;
    }
    Optional<String> kept = state.map(PREFIX::concat);
    try (Tree tree = tree(record, record.volumeId())) {
      for (String name : tree.list("/")) {
        if (name.startsWith(PREFIX) && !kept.equals(Optional.of(name))) {
          tree.removeAll(name);
        }
      }
    }
  }

  private Tree tree(InstanceRecord record, VolumeId volume) {
    return pools.pool(record.pool()).tree(volume, Tree.Resolution.BENEATH);
  }
}
