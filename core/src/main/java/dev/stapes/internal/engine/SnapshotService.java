package dev.stapes.internal.engine;

import dev.stapes.model.Device;
import dev.stapes.model.InstanceId;
import dev.stapes.model.InstanceInfo;
import dev.stapes.model.Names;
import dev.stapes.model.Progress;
import dev.stapes.model.SnapshotInfo;
import dev.stapes.model.SnapshotSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.model.VolumeKeys;
import dev.stapes.spi.StoragePool;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;

/** Snapshots of instances. */
public final class SnapshotService {
  private final Catalog catalog;
  private final Work work;
  private final PoolService pools;
  private final Machines machines;
  private final RootDisks rootDisks;
  private final LifecycleService lifecycle;
  private final SavedStates states;
  private final Trash trash;
  private final InstantSource clock;

  SnapshotService(
      Catalog catalog,
      Work work,
      PoolService pools,
      Machines machines,
      LifecycleService lifecycle,
      SavedStates states,
      Trash trash,
      InstantSource clock) {
    this.catalog = catalog;
    this.work = work;
    this.pools = pools;
    this.machines = machines;
    this.rootDisks = new RootDisks(pools, machines);
    this.lifecycle = lifecycle;
    this.states = states;
    this.trash = trash;
    this.clock = clock;
  }

  /** Makes a snapshot. */
  public SnapshotInfo create(InstanceId id, SnapshotSpec spec) {
    return create(id, spec, change -> {});
  }

  /**
   * Makes a snapshot.
   *
   * @param also adds to what is written down when it is there
   */
  SnapshotInfo create(InstanceId id, SnapshotSpec spec, Consumer<Catalog.Change> also) {
    String name = spec.name();
    return work.run(
        "instance-snapshot-create",
        "snapshot " + owner(id).name() + "/" + name,
        List.of(Work.lockOf(id)),
        step -> {
          InstanceRecord owner = owner(id);
          SnapshotRecord snapshot = draft(owner, spec);
          SnapshotRecord made =
              spec.stateful() ? fillWithMemory(owner, snapshot, step) : fill(owner, snapshot, step);
          Catalog.Change change = catalog.change(owner.isThrowaway()).insert(made);
          also.accept(change);
          step.conclude(change);
          work.happened("instance-snapshot-created", subject(owner, name), Map.of());
          return made.toInfo();
        });
  }

  /** The record of a snapshot that is to be made. */
  SnapshotRecord draft(InstanceRecord owner, SnapshotSpec spec) {
    if (catalog.snapshot(owner, spec.name()).isPresent()) {
      throw new StapesException(Kind.CONFLICT, subject(owner, spec.name()), "exists already");
    }
    Instant now = clock.instant();
    Optional<String> expiry = owner.typedConfig().get(VolumeKeys.SNAPSHOTS_EXPIRY);
    return new SnapshotRecord(
        owner.id(),
        spec.name(),
        spec.description(),
        Ids.volumeOf(owner.instanceId()),
        owner.config(),
        owner.devices(),
        now.toString(),
        spec.expiresAt()
            .or(() -> expiry.map(kept -> VolumeKeys.expiryOf(now, kept)))
            .map(Instant::toString)
            .orElse(null));
  }

  private SnapshotRecord fill(InstanceRecord owner, SnapshotRecord snapshot, Work.Step step) {
    StoragePool pool = pools.pool(owner.pool());
    step.intend(owner.isThrowaway(), volumesOf(owner, snapshot));
    step.undo("volume " + snapshot.volumeId(), () -> Trash.takeBack(pool, snapshot.volumeId()));
    machines.copyAsOfOneMoment(pool, owner, snapshot.volumeId(), true);
    return snapshot;
  }

  private static List<Intent.VolumeRef> volumesOf(InstanceRecord owner, SnapshotRecord snapshot) {
    return List.of(Intent.VolumeRef.of(owner.pool(), snapshot.volumeId()));
  }

  /** The machine stands still from before its memory is saved until its disk has been copied. */
  private SnapshotRecord fillWithMemory(
      InstanceRecord owner, SnapshotRecord snapshot, Work.Step step) {
    states.require(owner);
    SavedStates.requireRootAlone(owner);
    Running running = machines.require(owner.instanceId());
    StoragePool pool = pools.pool(owner.pool());
    if (!owner.isThrowaway()) {
      step.intend(Intent.stillnessOf(owner, volumesOf(owner, snapshot)));
    }
    step.undo("volume " + snapshot.volumeId(), () -> Trash.takeBack(pool, snapshot.volumeId()));
    String state = states.save(owner, running, step);
    pool.copy(owner.volumeId(), snapshot.volumeId(), true);
    running.machine().unfreeze();
    states.keepOnly(owner, Optional.empty());
    return snapshot.withState(state);
  }

  /** All snapshots of an instance, oldest first. */
  public List<SnapshotInfo> list(InstanceId id) {
    return catalog.snapshots(owner(id)).stream()
        .map(SnapshotRecord::toInfo)
        .sorted(Comparator.comparing(SnapshotInfo::createdAt).thenComparing(SnapshotInfo::name))
        .toList();
  }

  /** One snapshot. */
  public SnapshotInfo get(InstanceId id, String name) {
    return snapshot(owner(id), name).toInfo();
  }

  /**
   * Puts an instance back. The new root disk is a new volume: which one is the instance's is a
   * matter of one record, so that a crash leaves either the old or the new one.
   *
   * @param memory whether it goes on from the memory that the snapshot has
   */
  public void restore(InstanceId id, String name, boolean memory) {
    work.run(
        "instance-restore",
        subject(owner(id), name),
        () -> Work.ofInstance(id, devicesOf(snapshot(owner(id), name))),
        Progress.NONE,
        step -> {
          InstanceRecord before = owner(id);
          SnapshotRecord snapshot = snapshot(before, name);
          VolumeUse.require(
              catalog, before.type(), devicesOf(snapshot)); // while nothing has been changed
          StoragePool pool = pools.pool(before.pool());
          Optional<String> state =
              memory ? Optional.of(SavedStates.require(snapshot, before)) : Optional.empty();
          InstanceRecord after =
              SavedStates.with(
                  before
                      .with(before.description(), configOf(snapshot, before), snapshot.devices())
                      .withVolume(Ids.volumeOf(id)),
                  state);
          step.intend(
              before.isThrowaway(), List.of(Intent.VolumeRef.of(after.pool(), after.volumeId())));
          step.undo("volume " + after.volumeId(), () -> Trash.takeBack(pool, after.volumeId()));
          pool.copy(snapshot.volumeId(), after.volumeId(), false);
          rootDisks.limit(pool, after);
          states.keepOnly(after, state);
          machines.requireFit(after); // from here on the present disk is given away
          Optional<Running> running = machines.find(id);
          running.ifPresent(machine -> lifecycle.endForRestore(before, machine, step));
          swap(before, withPower(after, owner(id)), step);
          work.happened("instance-restored", before.subject(), Map.of("snapshot", name));
          if (running.isPresent() || memory) {
            lifecycle.startAfterRestore(id);
          }
          return true;
        });
  }

  private static Collection<Device> devicesOf(SnapshotRecord snapshot) {
    return InstanceRecord.devicesOf(snapshot.devices()).values();
  }

  private void swap(InstanceRecord before, InstanceRecord after, Work.Step step) {
    List<Intent.VolumeRef> old = List.of(Intent.VolumeRef.of(before.pool(), before.volumeId()));
    Catalog.Change change = catalog.change(before.isThrowaway()).put(after);
    if (before.isThrowaway()) {
      step.conclude(change);
      step.done();
      trash.discard(old);
    } else {
      String left = step.concludeLeaving(change, old);
      step.done();
      trash.discard(left, old);
    }
  }

  /** Ending the machine was written down meanwhile. */
  private static InstanceRecord withPower(InstanceRecord after, InstanceRecord now) {
    TreeMap<String, String> config = new TreeMap<>(after.config());
    config.putAll(volatileOf(now));
    return after.with(after.description(), config, after.devices());
  }

  /** The config of then, but what belongs to the machine of now. */
  private static Map<String, String> configOf(SnapshotRecord snapshot, InstanceRecord now) {
    TreeMap<String, String> config = new TreeMap<>(snapshot.config());
    config.keySet().removeIf(key -> key.startsWith("volatile."));
    config.putAll(volatileOf(now));
    return config;
  }

  private static Map<String, String> volatileOf(InstanceRecord record) {
    TreeMap<String, String> keys = new TreeMap<>(record.config());
    keys.keySet().removeIf(key -> !key.startsWith("volatile.") || key.equals(InstanceInfo.STATE));
    return keys;
  }

  /** Gives a snapshot another name. */
  public void rename(InstanceId id, String name, String newName) {
    Names.snapshot(newName);
    work.run(
        "instance-snapshot-rename",
        subject(owner(id), name),
        List.of(Work.lockOf(id)),
        step -> {
          InstanceRecord owner = owner(id);
          if (catalog.snapshot(owner, newName).isPresent()) {
            throw new StapesException(Kind.CONFLICT, subject(owner, newName), "exists already");
          }
          step.conclude(catalog.change(owner.isThrowaway()).rename(snapshot(owner, name), newName));
          work.happened(
              "instance-snapshot-renamed", subject(owner, newName), Map.of("old_name", name));
          return true;
        });
  }

  /** Deletes a snapshot. */
  public void delete(InstanceId id, String name) {
    work.run(
        "instance-snapshot-delete",
        subject(owner(id), name),
        List.of(Work.lockOf(id)),
        step -> {
          deleteLocked(owner(id), name, step);
          return true;
        });
  }

  /** Deletes the snapshots whose time has come. */
  public List<String> deleteExpired(InstanceId id) {
    Instant now = clock.instant();
    return work.run(
        "instance-snapshot-expire",
        owner(id).subject(),
        List.of(Work.lockOf(id)),
        step -> {
          List<String> expired =
              list(id).stream()
                  .filter(info -> info.expiresAt().map(at -> !at.isAfter(now)).orElse(false))
                  .map(SnapshotInfo::name)
                  .toList();
          expired.forEach(name -> deleteLocked(owner(id), name, step));
          return expired;
        });
  }

  private void deleteLocked(InstanceRecord owner, String name, Work.Step step) {
    SnapshotRecord snapshot = snapshot(owner, name);
    List<Intent.VolumeRef> volumes =
        List.of(Intent.VolumeRef.of(owner.pool(), snapshot.volumeId()));
    Catalog.Change change = catalog.change(owner.isThrowaway()).remove(snapshot);
    if (owner.isThrowaway()) {
      step.conclude(change);
      trash.discard(volumes);
    } else {
      trash.discard(step.concludeLeaving(change, volumes), volumes);
    }
    work.happened("instance-snapshot-deleted", subject(owner, name), Map.of());
  }

  private SnapshotRecord snapshot(InstanceRecord owner, String name) {
    return catalog
        .snapshot(owner, name)
        .orElseThrow(() -> StapesException.notFound(subject(owner, name)))
        .value();
  }

  private static String subject(InstanceRecord owner, String name) {
    return "snapshot " + owner.name() + "/" + name;
  }

  private InstanceRecord owner(InstanceId id) {
    return catalog.require(id).value();
  }
}
