package dev.stapes.internal.engine;

import dev.stapes.internal.image.ImageStore;
import dev.stapes.model.Config;
import dev.stapes.model.InstanceId;
import dev.stapes.model.InstanceKeys;
import dev.stapes.model.InstanceType;
import dev.stapes.model.Lifetime;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Availability;
import dev.stapes.spi.VolumeId;
import java.time.Duration;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What happens between the opening of the store and the first call of the user: whatever state the
 * last JVM left, afterwards the machine and the records say the same.
 */
final class Recovery {
  private static final Logger LOG = LoggerFactory.getLogger(Recovery.class);

  /** What records refer to; the image store looks after its own. */
  private static final Set<VolumeId.Kind> OWNED =
      EnumSet.complementOf(EnumSet.of(VolumeId.Kind.IMAGE));

  private final Catalog catalog;
  private final ImageStore images;
  private final PoolService pools;
  private final Drivers drivers;
  private final Machines machines;
  private final LifecycleService lifecycle;
  private final SavedStates states;
  private final ConsoleLogs logs;
  private final Trash trash;
  private final Background background;

  Recovery(
      Catalog catalog,
      ImageStore images,
      PoolService pools,
      Drivers drivers,
      Machines machines,
      LifecycleService lifecycle,
      SavedStates states,
      ConsoleLogs logs,
      Trash trash,
      Background background) {
    this.catalog = catalog;
    this.images = images;
    this.pools = pools;
    this.drivers = drivers;
    this.machines = machines;
    this.lifecycle = lifecycle;
    this.states = states;
    this.logs = logs;
    this.trash = trash;
    this.background = background;
  }

  /** Repairs, adopts what runs, and removes what belongs to nobody. */
  void run() {
    List<InstanceRecord> instances =
        catalog.durableInstances().stream().map(Catalog.Stored::value).toList();
    // Beside the reading of records: with tens of thousands of snapshots both take their time.
    FutureTask<Map<String, List<VolumeId>>> found = new FutureTask<>(this::volumes);
    background.execute(found);
    Set<VolumeId> referenced = referenced(instances);
    for (InstanceType type : InstanceType.values()) {
      List<InstanceRecord> ofType =
          instances.stream().filter(record -> record.type() == type).toList();
      if (drivers.probe(type) instanceof Availability.Unavailable no) {
        ofType.forEach(record -> leave(record, no.reason() + ": " + no.remedy()));
      } else {
        adopt(type, ofType);
      }
    }
    replayIntents(referenced);
    images.collectTemplates(
        instances.stream()
            .map(InstanceRecord::templates)
            .filter(Objects::nonNull)
            .collect(Collectors.toSet()));
    logs.collect(instances.stream().map(InstanceRecord::instanceId).collect(Collectors.toSet()));
    collectVolumes(join(found), referenced);
  }

  /** Volumes that a record may refer to, by pool. */
  private Map<String, List<VolumeId>> volumes() {
    Map<String, List<VolumeId>> all = new TreeMap<>();
    pools
        .open()
        .forEach(
            (name, pool) ->
                all.put(name, OWNED.stream().flatMap(kind -> pool.list(kind).stream()).toList()));
    return all;
  }

  private static <T> T join(FutureTask<T> task) {
    try {
      return task.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(
          StapesException.Kind.INTERRUPTED, "recovery", "the opening thread was interrupted", e);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof StapesException known
          ? known
          : new StapesException(StapesException.Kind.INTERNAL, "recovery", "volumes unknown", e);
    }
  }

  /** Volumes that a record refers to; their names are unique over all pools. */
  private Set<VolumeId> referenced(List<InstanceRecord> instances) {
    Set<VolumeId> referenced = new HashSet<>();
    instances.forEach(record -> referenced.add(record.volumeId()));
    referenced.addAll(catalog.durableSnapshotVolumes());
    for (PoolRecord pool : catalog.pools()) {
      catalog.volumes(pool.name()).forEach(volume -> referenced.add(volume.volumeId()));
    }
    return referenced;
  }

  private void adopt(InstanceType type, List<InstanceRecord> instances) {
    // Whose memory was saved must not run: what does is ended.
    Set<InstanceId> known =
        instances.stream()
            .filter(record -> SavedStates.idIn(record.config()).isEmpty())
            .map(InstanceRecord::instanceId)
            .collect(Collectors.toSet());
    drivers.collect(type, known);
    for (InstanceRecord record : instances) {
      if (machines.isOutOfReach(record.instanceId())) {
        continue; // it may be another root directory's
      }
      try {
        boolean runs = machines.adopt(record).isPresent();
        if (!runs
            && record.lifetime() == Lifetime.EPHEMERAL
            && LifecycleService.wasRunning(record)) {
          lifecycle.removeEphemeral(record);
        }
      } catch (StapesException e) {
        leave(record, String.valueOf(e.getMessage()));
      }
    }
  }

  /** Lets alone what may run: to take it for stopped could mean two of it, or none of its disk. */
  private void leave(InstanceRecord record, String reason) {
    if (LifecycleService.wasRunning(record)) {
      LOG.warn("{} is not adopted: {}", record.subject(), reason);
      machines.outOfReach(record, reason);
    }
  }

  private void replayIntents(Set<VolumeId> referenced) {
    for (Map.Entry<String, Intent> unfinished : catalog.intents().entrySet()) {
      Intent intent = unfinished.getValue();
      List<Intent.VolumeRef> orphans =
          intent.volumes().stream().filter(ref -> !referenced.contains(ref.volumeId())).toList();
      LOG.info(
          "{} of {} was cut short: {} volumes to remove",
          intent.action(),
          intent.subject(),
          orphans.size());
      boolean done = trash.remove(orphans);
      boolean goes =
          intent.frozen() == null || goesOn(new InstanceId(intent.frozen()), intent.loaded());
      done &= goes;
      Optional<InstanceId> resting =
          IntentNames.instanceAtRest(unfinished.getKey())
              .filter(this::mayRun)
              .filter(this::hasGuest);
      if (resting.isPresent()) {
        if (goes && intent.frozen() != null) { // its user may freeze it from now on
          catalog.change(false).put(unfinished.getKey(), intent.going()).commit();
        }
        machines.thawLater(resting.get()); // which waits for its agent, and has the intent
        done = false;
      }
      if (intent.attempted() != null) {
        done &= isSettled(intent.attempted());
      }
      if (!intent.pool().isEmpty()) {
        done &= pools.collectPool(intent);
      }
      if (done) {
        catalog.change(false).removeIntent(unfinished.getKey()).commit();
      }
    }
  }

  /** An older version wrote such intents for containers, too. */
  private boolean hasGuest(InstanceId id) {
    return catalog
        .instance(id)
        .filter(stored -> stored.value().type() == InstanceType.VIRTUAL_MACHINE)
        .isPresent();
  }

  private boolean mayRun(InstanceId id) {
    return machines.isOutOfReach(id) || machines.find(id).isPresent();
  }

  /** One that does not answer keeps nobody from all the others. */
  private boolean goesOn(InstanceId id, @Nullable String loaded) {
    try {
      if (loaded != null && !machines.isOutOfReach(id)) {
        machines.find(id).ifPresent(running -> states.awaken(id, running, loaded));
      }
      boolean goes = machines.thaw(id);
      if (goes) {
        states.tidy(id); // not before: it says who the guest was
      }
      return goes;
    } catch (StapesException e) {
      if (e.kind() == Kind.INTERRUPTED) {
        throw e;
      }
      LOG.warn("instance {} may stand still: {}", id, e.getMessage());
      return false;
    }
  }

  /** What a guest does not let go of it keeps until the next open. */
  private boolean isSettled(InstanceRecord attempted) {
    boolean settled = false;
    try {
      settled = machines.settle(attempted);
      return settled;
    } catch (StapesException e) {
      if (e.kind() == Kind.INTERRUPTED) {
        throw e;
      }
      LOG.warn("{} is not what its record says: {}", attempted.subject(), e.getMessage());
      return false;
    } finally {
      if (!settled) {
        machines.keepDisks(attempted);
      }
    }
  }

  /** Volumes of throwaway instances, of which nothing was written down. */
  private void collectVolumes(Map<String, List<VolumeId>> found, Set<VolumeId> referenced) {
    for (Map.Entry<String, List<VolumeId>> entry : found.entrySet()) {
      String name = entry.getKey();
      List<Intent.VolumeRef> orphans =
          entry.getValue().stream()
              .filter(volume -> !referenced.contains(volume))
              .map(volume -> Intent.VolumeRef.of(name, volume))
              .toList();
      if (!orphans.isEmpty()) {
        LOG.info("pool {}: {} volumes belong to nobody", name, orphans.size());
      }
      trash.collect(name, orphans);
    }
  }

  /**
   * Starts what is to start with the root directory, by priority.
   *
   * @param start starts one
   * @param pause waits for the time that is to pass after a start; false: start no more
   */
  void autostart(Consumer<InstanceId> start, Predicate<Duration> pause) {
    Duration delay = Duration.ZERO;
    for (InstanceRecord record : toAutostart()) {
      if (!pause.test(delay)) {
        return;
      }
      delay = autostart(record, start);
    }
  }

  private List<InstanceRecord> toAutostart() {
    return catalog.durableInstances().stream()
        .map(Catalog.Stored::value)
        .filter(record -> Config.of(record.config()).isTrue(InstanceKeys.BOOT_AUTOSTART))
        .filter(record -> !machines.isOutOfReach(record.instanceId()))
        .filter(record -> machines.find(record.instanceId()).isEmpty())
        .sorted(
            Comparator.comparingLong(
                    (InstanceRecord record) ->
                        record.typedConfig().get(InstanceKeys.BOOT_AUTOSTART_PRIORITY).orElse(0L))
                .reversed()
                .thenComparing(InstanceRecord::name))
        .toList();
  }

  private static Duration autostart(InstanceRecord record, Consumer<InstanceId> start) {
    try {
      start.accept(record.instanceId());
      return Duration.ofSeconds(
          record.typedConfig().get(InstanceKeys.BOOT_AUTOSTART_DELAY).orElse(0L));
    } catch (StapesException e) {
      LOG.warn("autostart of {} failed: {}", record.subject(), e.getMessage());
      return Duration.ZERO;
    }
  }
}
