package dev.stapes.internal.engine;

import dev.stapes.internal.events.EventBus;
import dev.stapes.internal.image.Decoders;
import dev.stapes.internal.image.ImageStore;
import dev.stapes.internal.operation.Locks;
import dev.stapes.internal.operation.OperationLog;
import dev.stapes.internal.store.MemoryStateStore;
import dev.stapes.model.InstanceId;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.DecoderProvider;
import dev.stapes.spi.Host;
import dev.stapes.spi.HostProvider;
import dev.stapes.spi.InstanceDriverProvider;
import dev.stapes.spi.Machine;
import dev.stapes.spi.StateStore;
import dev.stapes.spi.StateStoreProvider;
import dev.stapes.spi.StorageDriverProvider;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Everything that is open for one root directory, wired together. */
public final class Engine implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Engine.class);
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final int THREADS = 2;
  private static final Duration FIRST_THAW = Duration.ofSeconds(10);
  private static final Duration LONGEST_THAW = Duration.ofMinutes(5);
  private static final String DEFAULT_POOL = "default";
  private static final List<String> PREFERRED = List.of("btrfs", "dir");

  private final Resources resources;
  private final Catalog catalog;
  private final Work work;
  private final Drivers drivers;
  private final EventBus events;
  private final OperationLog operations;
  private final PoolService pools;
  private final OfVolumes volumes;
  private final ImageStore store;
  private final ImageService images;
  private final ImageUpkeep imageUpkeep;
  private final Machines machines;
  private final LifecycleService lifecycle;
  private final InstanceService instances;
  private final InstanceChanges changes;
  private final WarmPoolService warmPools;
  private final SnapshotService snapshots;
  private final SnapshotGroupService snapshotGroups;
  private final ScheduleService schedules;
  private final ExecService exec;
  private final MigrationService migrations;
  private final ConsoleLogs logs;
  private final FileService files;
  private final Trash trash;
  private final Background background;

  /** One thread: what happens to a machine is told in the order in which it happened. */
  private final Background incidents;

  private final Gate gate = new Gate(Background::isWorker);
  private final Object closing = new Object();
  private volatile boolean refusing;
  private volatile boolean closed;

  /**
   * What an engine is opened with.
   *
   * @param root its directory
   * @param host the machine
   * @param store the durable state
   * @param instanceDrivers one per type
   * @param storageDrivers by name
   * @param decoders the first that can is taken
   * @param defaultPool made where the root directory has no pool; empty: the best that works here
   * @param clock tells the time
   */
  public record Options(
      Path root,
      HostProvider host,
      StateStoreProvider store,
      List<InstanceDriverProvider> instanceDrivers,
      List<StorageDriverProvider> storageDrivers,
      List<DecoderProvider> decoders,
      Optional<PoolSpec> defaultPool,
      Clock clock) {}

  private Engine(Options options, Resources resources) {
    this.resources = resources;
    Clock clock = options.clock();
    RootDirectory root = resources.own(RootDirectory.lock(options.root()));
    options.host().probe().orThrow("host " + options.host().name());
    Host host = resources.own(options.host().open());
    StateStore durable = resources.own(options.store().open(root.path()));
    root.requireStateOf(durable);
    catalog = new Catalog(durable, resources.own(new MemoryStateStore()));
    events = resources.own(new EventBus(clock));
    operations = new OperationLog(events, clock, operationIds(clock));
    Locks locks = new Locks();
    work = new Work(catalog, host, gate, locks, operations, events, clock);
    store = ImageStore.open(root.path(), durable, host, new Decoders(options.decoders()), clock);
    pools = resources.own(pools(options, host, catalog, root, work));
    drivers = resources.own(new Drivers(host, options.instanceDrivers(), root));
    Subdirectories below = new Subdirectories(host.mounts(), root.run().resolve("disks"));
    machines = resources.own(machines(new Disks(pools, catalog, below), lateThaws(resources)));
    background = resources.own(new Background("engine", THREADS));
    incidents = resources.own(new Background("incidents", 1));
    trash = new Trash(catalog, pools, locks, background);
    logs = resources.own(new ConsoleLogs(root.logs(), catalog, machines, background));
    Publisher publisher = new Publisher(catalog, work, pools, machines, trash, store, host);
    images = new ImageService(store, work, pools, trash, publisher);
    imageUpkeep = new ImageUpkeep(store, images, work, clock);
    volumes = ofVolumes(new VolumeContents(pools, host.mounts()), clock);
    Allocation allocation = new Allocation(catalog, drivers);
    Templates templates = new Templates(store.templates(), pools, drivers);
    SavedStates states = new SavedStates(catalog, drivers, pools);
    lifecycle =
        new LifecycleService(
            catalog, work, allocation, machines, templates, states, trash, logs, events, clock);
    instances =
        new InstanceService(
            catalog, work, drivers, allocation, pools, store, machines, lifecycle, states, clock);
    changes = new InstanceChanges(catalog, work, drivers, pools, machines, instances);
    exec = new ExecService(machines, host, resources.own(new Streams()).executor());
    warmPools = new WarmPoolService(store, instances, changes, lifecycle, machines, exec);
    snapshots =
        new SnapshotService(catalog, work, pools, machines, lifecycle, states, trash, clock);
    schedules = schedules(clock);
    snapshotGroups =
        new SnapshotGroupService(
            catalog, work, pools, machines, volumes.users(), snapshots, volumes.snapshots());
    Handovers handovers = new Handovers(root.path(), catalog);
    migrations = migrations(handovers, allocation, states, clock);
    files = new FileService(host, catalog, machines, pools);
    Recovery recovery =
        new Recovery(
            catalog, store, pools, drivers, machines, lifecycle, states, logs, trash, background);
    pools.openAll();
    handovers.settle(machines::outOfReach);
    recovery.run();
    makeDefaultPool(options.defaultPool());
    background.execute(() -> autostart(recovery));
  }

  private void autostart(Recovery recovery) {
    recovery.autostart(id -> schedules.start(id, false), background::pause);
  }

  /** What works on custom volumes. */
  private record OfVolumes(
      VolumeUsers users,
      VolumeService records,
      VolumeSnapshotService snapshots,
      VolumeCopyService copies,
      VolumeBackupService backups,
      IsoImportService images) {}

  private OfVolumes ofVolumes(VolumeContents contents, Clock clock) {
    VolumeUsers users = new VolumeUsers(catalog, machines);
    VolumeService records = new VolumeService(pools, catalog, work, trash, users, contents, clock);
    return new OfVolumes(
        users,
        records,
        new VolumeSnapshotService(catalog, work, pools, users, trash, contents, clock),
        new VolumeCopyService(catalog, work, pools, users, records, trash, contents, clock),
        new VolumeBackupService(catalog, work, pools, users, trash, contents),
        new IsoImportService(catalog, work, pools, contents, clock));
  }

  private ScheduleService schedules(Clock clock) {
    return new ScheduleService(catalog, machines, lifecycle, snapshots, volumes.snapshots(), clock);
  }

  private Machines machines(Disks disks, LateThaws thaws) {
    return new Machines(catalog, drivers, disks, thaws, this::onExit, this::onIncident);
  }

  /** Closed after the machines: nobody waits for a guest then. */
  private LateThaws lateThaws(Resources resources) {
    Background thaws = resources.own(new Background("thaws", 1));
    return new LateThaws(catalog, thaws, this::machine, FIRST_THAW, LONGEST_THAW);
  }

  private Optional<Machine> machine(InstanceId id) {
    return machines.find(id).map(Running::machine);
  }

  /** Opens a root directory, repairing what a crash left. Where it fails nothing stays open. */
  public static Engine open(Options options) {
    Resources resources = new Resources();
    try {
      return new Engine(options, resources);
    } catch (RuntimeException | Error e) {
      try {
        resources.close();
      } catch (RuntimeException suppressed) {
        e.addSuppressed(suppressed);
      }
      throw e;
    }
  }

  private PoolService pools(
      Options options, Host host, Catalog catalog, RootDirectory root, Work work) {
    return new PoolService(
        host,
        catalog,
        store,
        root.pools(),
        options.storageDrivers(),
        work,
        options.clock(),
        options.defaultPool().map(PoolSpec::name).orElse(DEFAULT_POOL));
  }

  private MigrationService migrations(
      Handovers handovers, Allocation allocation, SavedStates states, Clock clock) {
    return new MigrationService(
        catalog, work, drivers, allocation, pools, machines, lifecycle, states, handovers, clock);
  }

  /** Growing and unique also over restarts: microseconds since the epoch, and on. */
  private static LongSupplier operationIds(Clock clock) {
    return new AtomicLong(clock.millis() * 1_000)::incrementAndGet;
  }

  private void onIncident(InstanceId id, Machine.Incident incident) {
    if (!closed) {
      incidents.execute(() -> tell(id, incident));
    }
  }

  private void tell(InstanceId id, Machine.Incident incident) {
    TreeMap<String, String> details = new TreeMap<>(incident.details());
    details.put("id", id.toString());
    catalog
        .instance(id)
        .ifPresent(stored -> work.happened(incident.action(), stored.value().subject(), details));
  }

  private void onExit(Running ended, Machine.Exit exit) {
    if (!closed) {
      background.execute(() -> lifecycle.onExit(ended, exit));
    }
  }

  private void makeDefaultPool(Optional<PoolSpec> wanted) {
    if (!pools.exists(pools.defaultName())) {
      wanted
          .or(() -> pools.firstUsable(PREFERRED).map(driver -> PoolSpec.of(DEFAULT_POOL, driver)))
          .ifPresent(pools::create);
    }
  }

  /** Instances. */
  public InstanceService instances() {
    return open(instances);
  }

  /** Their changes. */
  public InstanceChanges changes() {
    return open(changes);
  }

  /** Those that wait. */
  public WarmPoolService warmPools() {
    return open(warmPools);
  }

  /** Their starts and ends. */
  public LifecycleService lifecycle() {
    return open(lifecycle);
  }

  /** Their snapshots. */
  public SnapshotService snapshots() {
    return open(snapshots);
  }

  /** Snapshots of several of them at once. */
  public SnapshotGroupService snapshotGroups() {
    return open(snapshotGroups);
  }

  /** Their moves to other root directories. */
  public MigrationService migrations() {
    return open(migrations);
  }

  /** Programs in them. */
  public ExecService exec() {
    return open(exec);
  }

  /** What they write to their consoles. */
  public ConsoleLogs logs() {
    return open(logs);
  }

  /** Their schedules of snapshots, and starts. */
  public ScheduleService schedules() {
    return open(schedules);
  }

  /** Files in them. */
  public FileService files() {
    return open(files);
  }

  /** Storage pools. */
  public PoolService pools() {
    return open(pools);
  }

  /** Custom volumes. */
  public VolumeService volumes() {
    return open(volumes.records());
  }

  /** Their snapshots. */
  public VolumeSnapshotService volumeSnapshots() {
    return open(volumes.snapshots());
  }

  /** Their copies and moves. */
  public VolumeCopyService volumeCopies() {
    return open(volumes.copies());
  }

  /** Their backups. */
  public VolumeBackupService volumeBackups() {
    return open(volumes.backups());
  }

  /** Their imports of images of CDs. */
  public IsoImportService isoImports() {
    return open(volumes.images());
  }

  /** Images. */
  public ImageService images() {
    return open(images);
  }

  /** What keeps images new and few. */
  public ImageUpkeep imageUpkeep() {
    return open(imageUpkeep);
  }

  /** Operations that run or ran lately. */
  public OperationLog operations() {
    return open(operations);
  }

  /** Events. */
  public EventBus events() {
    return open(events);
  }

  /** What can be run here. */
  public dev.stapes.spi.Availability probe(dev.stapes.model.InstanceType type) {
    return open(drivers).probe(type);
  }

  private <T> T open(T part) {
    if (refusing) {
      throw new StapesException(Kind.UNAVAILABLE, "stapes", "is closed");
    }
    return part;
  }

  /**
   * Cancels what callers do and waits for it, ends throwaway instances, lets the others go on, and
   * waits for what was begun behind the callers. Who closes it once more waits for the first.
   */
  @Override
  public void close() {
    gate.requireOutside();
    synchronized (closing) {
      if (closed) {
        return;
      }
      boolean interrupted = Thread.interrupted();
      refusing = true;
      background.endPauses();
      try {
        warmPools.close();
        interrupted |= awaitCallers();
        lifecycle.endThrowaways();
      } finally {
        closed = true;
        try {
          resources.close();
        } finally {
          if (interrupted) {
            Thread.currentThread().interrupt();
          }
        }
      }
    }
  }

  /** Says whether this thread was interrupted meanwhile, which does not keep it from waiting. */
  private boolean awaitCallers() {
    boolean interrupted = false;
    while (true) {
      try {
        if (!gate.close(PATIENCE)) {
          LOG.warn("an operation does not end after {}: closed all the same", PATIENCE);
        }
        return interrupted;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
  }
}
