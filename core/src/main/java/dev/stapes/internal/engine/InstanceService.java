package dev.stapes.internal.engine;

import dev.stapes.internal.image.ImageStore;
import dev.stapes.internal.operation.Locks;
import dev.stapes.internal.operation.Rollback;
import dev.stapes.model.Config;
import dev.stapes.model.Device;
import dev.stapes.model.ImageInfo;
import dev.stapes.model.InstanceId;
import dev.stapes.model.InstanceInfo;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.InstanceState;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.Names;
import dev.stapes.model.Progress;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Machine;
import dev.stapes.spi.StoragePool;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Supplier;

/** Makes, changes and shows instances. */
public final class InstanceService {
  /** Properties of OCI images that are config keys of what is made of them. */
  private static final Set<String> OF_APPLICATIONS = Set.of("oci.entrypoint", "oci.cwd");

  private final Catalog catalog;
  private final Work work;
  private final Drivers drivers;
  private final PoolService pools;
  private final ImageStore images;
  private final Machines machines;
  private final RootDisks rootDisks;
  private final LifecycleService lifecycle;
  private final SavedStates states;
  private final Allocation allocation;
  private final InstantSource clock;

  InstanceService(
      Catalog catalog,
      Work work,
      Drivers drivers,
      Allocation allocation,
      PoolService pools,
      ImageStore images,
      Machines machines,
      LifecycleService lifecycle,
      SavedStates states,
      InstantSource clock) {
    this.catalog = catalog;
    this.work = work;
    this.drivers = drivers;
    this.pools = pools;
    this.images = images;
    this.machines = machines;
    this.rootDisks = new RootDisks(pools, machines);
    this.lifecycle = lifecycle;
    this.states = states;
    this.allocation = allocation;
    this.clock = clock;
  }

  /** The instance of a name. */
  public Optional<InstanceId> find(String name) {
    return catalog.idOf(name);
  }

  /** What an instance is. */
  public InstanceInfo info(InstanceId id) {
    return toInfo(stored(id));
  }

  /** What all instances are, by name. */
  public List<InstanceInfo> list() {
    return catalog.instances().stream()
        .map(this::toInfo)
        .sorted(Comparator.comparing(InstanceInfo::name))
        .toList();
  }

  /** What an instance uses. */
  public InstanceState state(InstanceId id) {
    InstanceRecord record = stored(id).value();
    Optional<Size> disk = pools.isUsable(record.pool()) ? usageOf(record) : Optional.empty();
    return machines
        .find(id)
        .map(running -> running.machine().state().withDiskUsage(disk))
        .orElseGet(() -> InstanceState.stopped(statusOf(record), disk));
  }

  private Optional<Size> usageOf(InstanceRecord record) {
    StoragePool pool = pools.pool(record.pool());
    return RootDisks.livesInMemory(record, pool)
        ? Optional.empty()
        : pool.quotas().map(quotas -> quotas.usage(record.volumeId()));
  }

  /**
   * Makes an instance and starts it. What undoes the one where the other fails is a rollback, and
   * so is not disturbed by the interrupt that made it fail.
   */
  public InstanceId launch(InstanceSpec spec, Progress progress) {
    String subject = "instance " + spec.name();
    try (Gate.Pass pass = work.enter();
        Rollback rollback = new Rollback(subject)) {
      InstanceId id = create(spec, progress);
      rollback.add(subject, () -> lifecycle.takeBack(id));
      lifecycle.start(id, false);
      rollback.commit();
      return id;
    }
  }

  /** Makes an instance, stopped. */
  public InstanceId create(InstanceSpec spec, Progress progress) {
    String subject = "instance " + spec.name();
    Optional<ImageInfo> image = spec.image().map(images::find);
    image.ifPresent(
        found -> {
          if (found.metadata().type() != spec.type()) {
            throw StapesException.invalid(
                subject,
                "image "
                    + spec.image().orElseThrow()
                    + " is for a "
                    + found.metadata().type()
                    + ", not for a "
                    + spec.type());
          }
        });
    SortedMap<String, Device> devices = withRoot(spec.devices());
    Config config = withImage(spec.config(), image);
    drivers.schema(spec.type()).validate(subject, config.values());
    ImageRequirements.check(subject, spec.type(), config, drivers);
    image.ifPresent(images::used);
    InstanceId id = Ids.instance();
    InstanceRecord plain =
        new InstanceRecord(
            id.value(),
            spec.name(),
            spec.type(),
            spec.description(),
            spec.lifetime(),
            image.map(ImageInfo::fingerprint).orElse(null),
            image.flatMap(found -> images.templates().of(found.fingerprint())).orElse(null),
            poolOf(devices),
            Ids.volumeOf(id),
            new TreeMap<>(config.values()),
            InstanceRecord.textsOf(devices),
            clock.instant().toString(),
            null);
    InstanceRecord draft = Templates.deferred(plain, "create");
    drivers.of(draft.type()).validate(Disks.unattached(draft));
    Plan plan =
        new Plan(
            draft,
            claimOf(draft),
            (pool, step) ->
                image.ifPresentOrElse(
                    found -> fill(pool, draft, found.fingerprint(), spec, step.progress()),
                    () -> RootDisks.createEmpty(pool, draft)));
    return make(spec.name(), () -> plan, progress);
  }

  /**
   * Makes an instance of another one, or of a snapshot of it.
   *
   * @param memory whether with the memory that the snapshot has
   */
  public InstanceId copy(
      InstanceId source,
      Optional<String> snapshot,
      String name,
      boolean memory,
      Progress progress) {
    Names.instance(name);
    InstanceId id = Ids.instance();
    return make(name, () -> copyOf(source, snapshot, id, name, memory), progress);
  }

  /**
   * Holds the source: alone where it runs, for it may have to stand still meanwhile, else shared,
   * so that many copies are made of one at once.
   */
  private Plan copyOf(
      InstanceId source, Optional<String> snapshot, InstanceId id, String name, boolean memory) {
    InstanceRecord from = stored(source).value();
    Optional<SnapshotRecord> at =
        snapshot.map(
            wanted ->
                catalog
                    .snapshot(from, wanted)
                    .orElseThrow(
                        () -> StapesException.notFound("snapshot " + from.name() + "/" + wanted))
                    .value());
    TreeMap<String, String> config =
        new TreeMap<>(at.map(SnapshotRecord::config).orElse(from.config()));
    config.keySet().removeIf(key -> key.startsWith("volatile."));
    if (memory) {
      config.put(InstanceInfo.STATE, SavedStates.require(at.orElseThrow(), from));
    }
    InstanceRecord plain =
        new InstanceRecord(
            id.value(),
            name,
            from.type(),
            from.description(),
            from.lifetime(),
            from.image(),
            from.templates(),
            from.pool(),
            Ids.volumeOf(id),
            config,
            at.map(SnapshotRecord::devices).orElse(from.devices()),
            clock.instant().toString(),
            null);
    InstanceRecord draft = Templates.deferred(plain, "copy");
    boolean moves = at.isEmpty() && machines.find(source).isPresent();
    Locks.Claim claim = claimOf(draft);
    return new Plan(
        draft,
        moves ? claim.with(Work.lockOf(source)) : claim.sharing(Work.lockOf(source)),
        (pool, step) -> {
          if (at.isPresent()) {
            pool.copy(at.get().volumeId(), draft.volumeId(), false);
          } else {
            machines.copyAsOfOneMoment(pool, from, draft.volumeId(), false);
          }
          states.keepOnly(draft, SavedStates.idIn(draft.config()));
        });
  }

  /** Fills the volume of a new instance. */
  private interface Filling {
    void fill(StoragePool pool, Work.Step step);
  }

  /** What a new instance will be, what must be held to make it, and how. */
  private record Plan(InstanceRecord draft, Locks.Claim claim, Filling filling) {}

  private static Locks.Claim claimOf(InstanceRecord draft) {
    return Locks.Claim.alone(Work.lockOfName(draft.name()))
        .sharing(Work.lockOfPool(draft.pool()))
        .sharing(VolumeUse.locks(draft.typedDevices().values()));
  }

  private InstanceId make(String name, Supplier<Plan> plans, Progress progress) {
    return work.run(
        "instance-create",
        "instance " + name,
        () -> plans.get().claim(),
        progress,
        step -> {
          Plan plan = plans.get();
          InstanceRecord draft = plan.draft();
          requireFree(name);
          StoragePool pool = pools.pool(draft.pool());
          VolumeUse.require(catalog, draft.type(), draft.typedDevices().values());
          try (Allocation.Reserved reserved = allocation.reserve(draft)) {
            InstanceRecord record = reserved.record();
            step.intend(
                record.isThrowaway(),
                List.of(Intent.VolumeRef.of(record.pool(), record.volumeId())));
            step.undo("volume " + record.volumeId(), () -> Trash.takeBack(pool, record.volumeId()));
            plan.filling().fill(pool, step);
            rootDisks.limit(pool, record);
            Work.checkInterrupt(record.subject());
            step.conclude(catalog.change(record.isThrowaway()).insert(record));
            work.happened("instance-created", record.subject(), Map.of("id", record.id()));
            return record.instanceId();
          }
        });
  }

  private void fill(
      StoragePool pool,
      InstanceRecord draft,
      String fingerprint,
      InstanceSpec spec,
      Progress progress) {
    if (spec.imageMounted()) {
      images.fromFile(
          draft.pool(),
          pool,
          fingerprint,
          unpacked -> RootDisks.createFrom(pool, unpacked, draft),
          file -> mountInto(pool, file, draft));
    } else {
      images.fromUnpacked(
          draft.pool(),
          pool,
          fingerprint,
          progress,
          unpacked -> {
            RootDisks.createFrom(pool, unpacked, draft);
            return draft.volumeId();
          });
    }
  }

  private static void mountInto(StoragePool pool, Path file, InstanceRecord draft) {
    StoragePool.Scratch scratch =
        pool.scratch()
            .orElseThrow(
                () ->
                    new StapesException(
                        Kind.UNSUPPORTED,
                        "pool " + draft.pool(),
                        "has no volumes in memory, and so cannot use images that are mounted"));
    scratch.create(file, draft.volumeId(), draft.rootDisk().size());
  }

  /** Waits for a status. */
  public void await(InstanceId id, InstanceStatus status, Duration limit) {
    lifecycle.awaitStatus(id, () -> info(id).status() == status, status.toString(), limit);
  }

  private Catalog.Stored<InstanceRecord> stored(InstanceId id) {
    return catalog.require(id);
  }

  void requireFree(String name) {
    if (catalog.idOf(name).isPresent()) {
      throw new StapesException(Kind.CONFLICT, "instance " + name, "exists already");
    }
  }

  private InstanceInfo toInfo(Catalog.Stored<InstanceRecord> stored) {
    return stored.value().toInfo(statusOf(stored.value()), stored.revision());
  }

  InstanceStatus statusOf(InstanceRecord record) {
    if (machines.isOutOfReach(record.instanceId())) {
      return InstanceStatus.ERROR;
    }
    Optional<Running> running = machines.find(record.instanceId());
    if (running.isPresent()) {
      Machine machine = running.get().machine();
      if (machine.failure().isPresent()) {
        return InstanceStatus.ERROR;
      }
      return machine.isFrozen() ? InstanceStatus.FROZEN : InstanceStatus.RUNNING;
    }
    return pools.isUsable(record.pool()) ? InstanceStatus.STOPPED : InstanceStatus.ERROR;
  }

  private SortedMap<String, Device> withRoot(SortedMap<String, Device> devices) {
    SortedMap<String, Device> all = new TreeMap<>(devices);
    boolean hasRoot =
        devices.values().stream().anyMatch(d -> d instanceof Device.Disk disk && disk.isRoot());
    if (!hasRoot) {
      all.put("root", Device.root(disk -> disk.pool(pools.defaultName())));
    }
    return all;
  }

  private String poolOf(SortedMap<String, Device> devices) {
    return devices.values().stream()
        .filter(device -> device instanceof Device.Disk disk && disk.isRoot())
        .map(device -> ((Device.Disk) device).pool().orElse(pools.defaultName()))
        .findFirst()
        .orElse(pools.defaultName());
  }

  private static Config withImage(Config config, Optional<ImageInfo> image) {
    TreeMap<String, String> properties = new TreeMap<>();
    Map<String, String> its =
        image.map(found -> found.metadata().properties()).orElseGet(Collections::emptySortedMap);
    its.forEach((key, value) -> properties.put("image." + key, value));
    if ("oci".equals(its.get("type"))) {
      its.forEach(
          (key, value) -> {
            if (OF_APPLICATIONS.contains(key) || key.startsWith("environment.")) {
              properties.put(key, value);
            }
          });
    }
    return Config.of(properties).with(config.values());
  }
}
