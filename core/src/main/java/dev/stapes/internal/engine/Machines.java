package dev.stapes.internal.engine;

import dev.stapes.internal.image.PairedPool;
import dev.stapes.model.ConfigKey;
import dev.stapes.model.ConfigSchema;
import dev.stapes.model.Device;
import dev.stapes.model.InstanceId;
import dev.stapes.model.PoolInfo;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.InstanceDriver;
import dev.stapes.spi.Machine;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.VolumeId;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import java.util.function.Function;

/**
 * The machines that run now. All but {@link #find} is called with the lock of the instance held.
 */
final class Machines implements AutoCloseable {
  private final Catalog catalog;
  private final Drivers drivers;
  private final Disks disks;
  private final LateThaws thaws;
  private final ConcurrentHashMap<InstanceId, Running> running = new ConcurrentHashMap<>();

  /** Why a machine that may run is out of reach. */
  private final ConcurrentHashMap<InstanceId, String> outOfReach = new ConcurrentHashMap<>();

  private final BiConsumer<Running, Machine.Exit> onExit;
  private final BiConsumer<InstanceId, Machine.Incident> onIncident;

  /**
   * No machines yet.
   *
   * @param onExit told when a machine has ended, on a thread of the host: must return at once
   * @param onIncident told of what happens to one, on a thread of its driver: must return at once
   */
  Machines(
      Catalog catalog,
      Drivers drivers,
      Disks disks,
      LateThaws thaws,
      BiConsumer<Running, Machine.Exit> onExit,
      BiConsumer<InstanceId, Machine.Incident> onIncident) {
    this.catalog = catalog;
    this.drivers = drivers;
    this.disks = disks;
    this.thaws = thaws;
    this.onExit = onExit;
    this.onIncident = onIncident;
  }

  /**
   * The machine of an instance, if it runs.
   *
   * @throws StapesException UNAVAILABLE where it may run and nothing can be done with it
   */
  Optional<Running> find(InstanceId id) {
    String reason = outOfReach.get(id);
    if (reason != null) {
      throw new StapesException(
          Kind.UNAVAILABLE, "instance " + id, "may run, but is out of reach: " + reason);
    }
    return Optional.ofNullable(running.get(id));
  }

  /** Whether a machine may run with which nothing can be done before the next open. */
  boolean isOutOfReach(InstanceId id) {
    return outOfReach.containsKey(id);
  }

  /** A machine that ran when the store heard of it last cannot be looked for. */
  void outOfReach(InstanceRecord record, String reason) {
    disks.keep(record.instanceId(), record.typedDevices());
    outOfReach.put(record.instanceId(), reason);
  }

  /**
   * A machine may have the disks of what it was to become: others do not get them before it ends.
   */
  void keepDisks(InstanceRecord attempted) {
    InstanceId id = attempted.instanceId();
    SortedMap<String, Device> devices = attempted.typedDevices();
    catalog
        .instance(id)
        .ifPresent(now -> devices.values().removeAll(now.value().typedDevices().values()));
    SortedMap<String, StoragePool.Attachment> kept = disks.keep(id, devices);
    Running now = running.computeIfPresent(id, (same, current) -> current.keeping(kept));
    if (now == null && !isOutOfReach(id)) {
      Resources.closeAll(kept.values());
    }
  }

  /** Who has a volume that is a disk, whatever the records say. */
  Set<InstanceId> holders(VolumeRecord volume) {
    return disks.holders(volume);
  }

  /**
   * The machine of an instance.
   *
   * @throws StapesException CONFLICT where it does not run; NOT_FOUND where it does not exist;
   *     UNAVAILABLE where it may run and nothing can be done with it
   */
  Running require(InstanceId id) {
    return find(id)
        .orElseThrow(
            () ->
                catalog.instance(id).isPresent()
                    ? new StapesException(Kind.CONFLICT, "instance " + id, "is not running")
                    : StapesException.notFound("instance " + id));
  }

  /** Starts a machine; one whose memory was saved is loaded, and stands still. */
  Running start(InstanceRecord record) {
    InstanceDriver driver = drivers.of(record.type());
    return begin(driver, record, spec -> start(driver, record, spec));
  }

  /**
   * Starts a machine that waits for the state of another one.
   *
   * @param receive does it, given what the machine is made of
   */
  Running arrive(InstanceRecord record, Function<Machine.Spec, Machine> receive) {
    return begin(drivers.of(record.type()), record, receive);
  }

  private Running begin(
      InstanceDriver driver, InstanceRecord record, Function<Machine.Spec, Machine> how) {
    Disks.Attached attached = disks.attach(record, driver);
    try {
      Machine machine = how.apply(attached.spec());
      return register(new Running(machine, attached.spec(), attached.attachments()));
    } catch (RuntimeException | Error e) {
      attached.close();
      throw e;
    }
  }

  private static Machine start(InstanceDriver driver, InstanceRecord record, Machine.Spec spec) {
    Optional<String> state = SavedStates.idIn(record.config());
    if (state.isEmpty()) {
      return driver.start(spec);
    }
    return driver
        .memoryStates()
        .orElseThrow(() -> new IllegalStateException(record.subject() + " has a state"))
        .load(spec, SavedStates.directory(spec, state.get()));
  }

  /**
   * Fails where the memory that a record names does not fit the disks that it names: whoever has
   * others in use can keep them then.
   */
  void requireFit(InstanceRecord record) {
    Optional<String> state = SavedStates.idIn(record.config());
    if (state.isPresent()) {
      InstanceDriver driver = drivers.of(record.type());
      try (Disks.Attached attached = disks.attach(record, driver)) {
        Path directory = SavedStates.directory(attached.spec(), state.get());
        driver.memoryStates().orElseThrow().requireFit(attached.spec(), directory);
      }
    }
  }

  /** Takes hold of a machine that runs already, even where a disk of it is out of reach. */
  Optional<Running> adopt(InstanceRecord record) {
    InstanceDriver driver = drivers.of(record.type());
    Optional<Machine> machine = driver.adopt(Disks.unattached(record));
    if (machine.isEmpty()) {
      return Optional.empty();
    }
    Disks.Attached attached = disks.reattach(record, driver, machine.get().idMapping());
    machine.get().attached(attached.spec());
    return Optional.of(
        register(new Running(machine.get(), attached.spec(), attached.attachments())));
  }

  private Running register(Running started) {
    running.put(started.id(), started);
    tellExit(started);
    started.machine().listen(incident -> onIncident.accept(started.id(), incident));
    return started;
  }

  private void tellExit(Running current) {
    current.machine().exit().thenAccept(exit -> onExit.accept(current, exit));
  }

  /** A machine that was asked to end did not; it may have ended since, which nobody was told. */
  void goesOn(Running current) {
    current.expectNoEnd();
    tellExit(current);
  }

  /** Forgets a machine that has ended, and lets go of its volumes. */
  void ended(Running ended) {
    Running last = running.getOrDefault(ended.id(), ended);
    try {
      (last.isSameMachine(ended) ? last : ended).release();
    } finally {
      running.remove(ended.id()); // last: who sees it stopped finds its volumes free
    }
  }

  /** Makes the live part of a change take effect, and refuses what cannot change while it runs. */
  void update(Running current, InstanceRecord before, InstanceRecord after, Work.Step step) {
    Set<String> changed = LiveDevices.changed(drivers.of(after.type()), before, after);
    Machine.Spec spec = current.spec();
    SortedMap<String, String> live = liveConfig(spec, before, after);
    Disks.Plugged plugged = disks.plug(after, changed, current.machine().idMapping());
    step.atEnd(() -> letGo(current.id(), plugged.attachments()));
    Running updated = current.updated(Disks.reconfigured(spec, after, live, plugged), plugged);
    step.atEnd(() -> letGo(current.id(), current.attachments()));
    if (!after.isThrowaway()) {
      step.intend(Intent.changeTo(after));
    }
    String later = "update-" + Ids.state();
    step.undo(
        "limits and devices of " + before.subject(), () -> undo(current, after, plugged, later));
    current.machine().update(updated.spec());
    running.put(current.id(), updated);
  }

  /**
   * What cannot be undone now, the next open tries again: until then the machine keeps what it got,
   * and nobody else gets it.
   *
   * @param later the intent that says so
   */
  private void undo(Running before, InstanceRecord after, Disks.Plugged plugged, String later) {
    try {
      before.machine().update(before.spec());
    } catch (RuntimeException e) {
      running.replace(before.id(), before.keeping(plugged.attachments()));
      if (!after.isThrowaway()) {
        catalog.change(false).put(later, Intent.changeTo(after)).commit();
      }
      throw e;
    }
    running.replace(before.id(), before);
    catalog.forgetIntent(later); // of a try before
  }

  /** The config that takes effect while it runs. */
  private SortedMap<String, String> liveConfig(
      Machine.Spec spec, InstanceRecord before, InstanceRecord after) {
    SortedMap<String, String> live = new TreeMap<>(after.config());
    ConfigSchema schema = drivers.schema(after.type());
    for (String key : keysOf(before, after)) {
      if (!schema.find(key).map(ConfigKey::live).orElse(false)) {
        restore(live, key, spec.config().values());
      }
    }
    return live;
  }

  /**
   * Makes an adopted machine what its record says, where a JVM died while it made it another one.
   *
   * @param attempted what it would have been
   * @return false where it is out of reach
   */
  boolean settle(InstanceRecord attempted) {
    InstanceId id = attempted.instanceId();
    if (isOutOfReach(id)) {
      return false;
    }
    Optional<InstanceRecord> now = catalog.instance(id).map(Catalog.Stored::value);
    Optional<Running> current = find(id);
    if (now.isPresent() && current.isPresent()) {
      Machine.Spec spec = current.get().spec();
      SortedMap<String, String> live = liveConfig(spec, now.get(), attempted);
      current.get().machine().settle(Disks.attempted(spec, attempted, live), spec);
    }
    return true;
  }

  /** Lets go of volumes, but for those that the machine has by now. */
  private void letGo(InstanceId id, SortedMap<String, StoragePool.Attachment> attachments) {
    Running now = running.get(id);
    Resources.closeAll(
        attachments.values().stream().filter(each -> now == null || !now.holds(each)).toList());
  }

  private static List<String> keysOf(InstanceRecord before, InstanceRecord after) {
    TreeMap<String, String> all = new TreeMap<>(before.config());
    all.putAll(after.config());
    return List.copyOf(all.keySet());
  }

  private static void restore(
      SortedMap<String, String> live, String key, SortedMap<String, String> old) {
    String value = old.get(key);
    if (value == null) {
      live.remove(key);
    } else {
      live.put(key, value);
    }
  }

  /**
   * Copies the root disk of an instance as of one moment: where the pool copies file by file, a
   * running machine stands still meanwhile. The file systems of a guest are at rest where its agent
   * can do that.
   */
  void copyAsOfOneMoment(
      StoragePool pool, InstanceRecord source, VolumeId target, boolean readOnly) {
    boolean takesTime = !PairedPool.copiesAtOnce(pool, source.volumeId(), readOnly);
    asOfOneMoment(List.of(source), takesTime, () -> pool.copy(source.volumeId(), target, readOnly));
  }

  /** Whether a pool's copies are as of one moment, whoever writes meanwhile. */
  static boolean copiesAtOnce(StoragePool pool) {
    return pool.copies() == PoolInfo.Copies.INSTANT;
  }

  /** Whether a pool's copies of what nobody uses cost next to nothing. */
  static boolean copiesAtRestAtOnce(StoragePool pool) {
    return pool.copies() != PoolInfo.Copies.PER_FILE;
  }

  /**
   * Does something while the file systems of guests are at rest, and maybe all machines stand still
   * that run and do not do so already.
   */
  void asOfOneMoment(List<InstanceRecord> sources, boolean standStill, Runnable copy) {
    if (sources.isEmpty()) {
      copy.run();
      return;
    }
    InstanceRecord first = sources.get(0);
    Runnable rest = () -> asOfOneMoment(sources.subList(1, sources.size()), standStill, copy);
    Optional<Machine> moving =
        find(first.instanceId()).map(Running::machine).filter(Machines::isMoving);
    if (moving.isPresent()) {
      new OneMoment(catalog, thaws).during(first, moving.get(), standStill, rest);
    } else {
      rest.run();
    }
  }

  /** One that stands still is copied as it is, and stays so. */
  private static boolean isMoving(Machine machine) {
    return !machine.isFrozen() && machine.failure().isEmpty();
  }

  /** Lets a machine go on whose copying was cut short; false where it is out of reach. */
  boolean thaw(InstanceId id) {
    if (isOutOfReach(id)) {
      return false;
    }
    Optional<Machine> machine = find(id).map(Running::machine);
    machine.filter(Machine::isFrozen).ifPresent(Machine::unfreeze);
    return true;
  }

  /** What says that a machine stands still is of before: its user is about to suspend it. */
  void forgetStillness(InstanceId id) {
    catalog.forgetIntent(IntentNames.still(id));
    catalog.forgetIntent(IntentNames.copied(id));
  }

  /** Thaws the file systems of one behind. */
  void thawLater(InstanceId id) {
    thaws.add(id);
  }

  /** Lets go of all machines; those that are durable go on. */
  @Override
  public void close() {
    thaws.end(); // it must not take what is let go of for gone
    running.values().forEach(Running::release);
    running.clear();
  }
}
