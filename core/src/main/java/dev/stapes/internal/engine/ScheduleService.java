package dev.stapes.internal.engine;

import dev.stapes.model.InstanceId;
import dev.stapes.model.InstanceKeys;
import dev.stapes.model.ScheduledSnapshots;
import dev.stapes.model.SnapshotInfo;
import dev.stapes.model.SnapshotSchedule;
import dev.stapes.model.SnapshotSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.model.VolumeKeys;
import dev.stapes.spi.Undo;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes snapshots that are due by schedules, and deletes those whose time has come. Only when it is
 * told to, but for those of a start.
 */
public final class ScheduleService {
  private static final Logger LOG = LoggerFactory.getLogger(ScheduleService.class);

  /** Before what has failed is to be tried again. */
  private static final Duration PAUSE = Duration.ofMinutes(1);

  private final Catalog catalog;
  private final Machines machines;
  private final LifecycleService lifecycle;
  private final SnapshotService ofInstances;
  private final VolumeSnapshotService ofVolumes;
  private final Clock clock;
  private final ReentrantLock running = new ReentrantLock();

  ScheduleService(
      Catalog catalog,
      Machines machines,
      LifecycleService lifecycle,
      SnapshotService ofInstances,
      VolumeSnapshotService ofVolumes,
      Clock clock) {
    this.catalog = catalog;
    this.machines = machines;
    this.lifecycle = lifecycle;
    this.ofInstances = ofInstances;
    this.ofVolumes = ofVolumes;
    this.clock = clock;
  }

  /** Makes and deletes what is due since the last run: at most one snapshot of each. */
  public ScheduledSnapshots runDue() {
    if (!running.tryLock()) {
      throw new StapesException(Kind.BUSY, "snapshot schedules", "are being run already");
    }
    try {
      Instant now = clock.instant();
      Since since = since();
      ScheduleOutcome outcome = new ScheduleOutcome();
      Map<String, Instant> again = new TreeMap<>();
      expire(now, outcome);
      for (InstanceRecord record : instances()) {
        Instant from = since.of(record.id(), record.createdAt());
        BooleanSupplier there = () -> catalog.instance(record.instanceId()).isPresent();
        if (!outcome.attempt(record.subject(), there, () -> run(record, from, now, outcome))) {
          again.put(record.id(), from);
        }
      }
      for (VolumeRecord record : volumes()) {
        Instant from = since.of(record.id(), record.createdAt());
        BooleanSupplier there = () -> catalog.volume(record.id()).isPresent();
        if (!outcome.attempt(record.subject(), there, () -> run(record, from, now, outcome))) {
          again.put(record.id(), from);
        }
      }
      end(now, again);
      return outcome.done();
    } finally {
      running.unlock();
    }
  }

  /** All has been done until now, but what is to be tried again. */
  private void end(Instant now, Map<String, Instant> again) {
    Catalog.Change change = catalog.change(false).lastSchedules(now);
    catalog.scheduled().keySet().stream()
        .filter(id -> !again.containsKey(id))
        .forEach(change::removeScheduled);
    again.forEach(change::scheduled);
    change.commit();
  }

  /**
   * From when on schedules have not been followed.
   *
   * @param last run that came to its end
   * @param own of those of which a snapshot was made after that, or has failed
   */
  private record Since(Optional<Instant> last, Map<String, Instant> own) {
    Instant of(String id, String createdAt) {
      Instant created = Instant.parse(createdAt);
      Instant known = own.get(id);
      return known != null ? known : last.filter(created::isBefore).orElse(created);
    }
  }

  private Since since() {
    return new Since(catalog.lastSchedules(), catalog.scheduled());
  }

  private List<InstanceRecord> instances() {
    return catalog.durableInstances().stream()
        .map(Catalog.Stored::value)
        .sorted(Comparator.comparing(InstanceRecord::name))
        .toList();
  }

  private List<VolumeRecord> volumes() {
    return catalog.pools().stream().flatMap(pool -> catalog.volumes(pool.name()).stream()).toList();
  }

  private void expire(Instant now, ScheduleOutcome outcome) {
    Map<String, List<SnapshotRecord>> ofInstance = catalog.expiringOfInstances();
    for (InstanceRecord record : instances()) {
      List<SnapshotInfo> expired =
          ofInstance.getOrDefault(record.id(), List.of()).stream()
              .map(SnapshotRecord::toInfo)
              .filter(each -> each.expiresAt().filter(at -> !at.isAfter(now)).isPresent())
              .toList();
      if (!expired.isEmpty()) {
        outcome.attempt(
            "expired snapshots of " + record.subject(),
            () -> catalog.instance(record.instanceId()).isPresent(),
            () -> {
              List<String> gone = ofInstances.deleteExpired(record.instanceId());
              expired.stream()
                  .filter(each -> gone.contains(each.name()))
                  .forEach(outcome.expiredOfInstances::add);
            });
      }
    }
    Map<String, List<VolumeSnapshotRecord>> ofVolume = catalog.expiringOfVolumes();
    for (VolumeRecord record : volumes()) {
      List<VolumeSnapshotRecord> expired =
          ofVolume.getOrDefault(record.id(), List.of()).stream()
              .filter(each -> each.isExpired(now))
              .toList();
      if (!expired.isEmpty()) {
        outcome.attempt(
            "expired snapshots of " + record.subject(),
            () -> catalog.volume(record.id()).isPresent(),
            () -> {
              List<String> gone = ofVolumes.deleteExpired(record.id());
              expired.stream()
                  .filter(each -> gone.contains(each.name()))
                  .forEach(each -> outcome.expiredOfVolumes.add(each.toInfo(record)));
            });
      }
    }
  }

  private void run(InstanceRecord record, Instant since, Instant now, ScheduleOutcome outcome) {
    if (isDue(schedule(record), since, now) && isWanted(record)) {
      outcome.instances.add(create(record, change -> change.scheduled(record.id(), now)));
    }
  }

  /** What stands still is not snapshot again and again, unless that is wanted. */
  private boolean isWanted(InstanceRecord record) {
    return record.typedConfig().isTrue(InstanceKeys.SNAPSHOTS_SCHEDULE_STOPPED)
        || machines.isOutOfReach(record.instanceId())
        || machines.find(record.instanceId()).isPresent();
  }

  private SnapshotInfo create(InstanceRecord record, Consumer<Catalog.Change> also) {
    String pattern = record.typedConfig().get(VolumeKeys.SNAPSHOTS_PATTERN).orElseThrow();
    Stream<String> names = catalog.snapshots(record).stream().map(SnapshotRecord::name);
    return ofInstances.create(
        record.instanceId(), SnapshotSpec.of(SnapshotNames.next(pattern, names)), also);
  }

  private void run(VolumeRecord record, Instant since, Instant now, ScheduleOutcome outcome) {
    if (isDue(schedule(record), since, now)) {
      outcome.volumes.add(
          ofVolumes.create(record.id(), change -> change.scheduled(record.id(), now)));
    }
  }

  private boolean isDue(Optional<SnapshotSchedule> schedule, Instant since, Instant now) {
    return next(schedule, since).filter(at -> !at.isAfter(now)).isPresent();
  }

  private Optional<Instant> next(Optional<SnapshotSchedule> schedule, Instant since) {
    return schedule
        .flatMap(known -> known.next(since.atZone(clock.getZone())))
        .map(ZonedDateTime::toInstant);
  }

  private static Optional<SnapshotSchedule> schedule(InstanceRecord record) {
    return schedule(record.config().get(InstanceKeys.SNAPSHOTS_SCHEDULE.name()));
  }

  private static Optional<SnapshotSchedule> schedule(VolumeRecord record) {
    return schedule(record.config().get(VolumeKeys.SNAPSHOTS_SCHEDULE.name()));
  }

  private static Optional<SnapshotSchedule> schedule(@Nullable String text) {
    return Optional.ofNullable(text).filter(each -> !each.isEmpty()).map(SnapshotSchedule::parse);
  }

  /** When the next snapshot is due, or the next one expires; empty: never. */
  public Optional<Instant> next() {
    Instant now = clock.instant();
    Since since = since();
    Stream<Instant> ofInstance =
        instances().stream()
            .flatMap(
                record ->
                    next(schedule(record), since.of(record.id(), record.createdAt()))
                        .filter(at -> isWanted(record))
                        .stream());
    Stream<Instant> ofVolume =
        volumes().stream()
            .flatMap(
                record ->
                    next(schedule(record), since.of(record.id(), record.createdAt())).stream());
    return Stream.of(ofInstance, ofVolume, expiries())
        .flatMap(each -> each)
        .map(at -> afterTry(at, since.last()))
        .min(Comparator.naturalOrder())
        .map(at -> at.isBefore(now) ? now : at);
  }

  private Stream<Instant> expiries() {
    return Stream.concat(
            catalog.expiringOfInstances().values().stream()
                .flatMap(List::stream)
                .map(SnapshotRecord::expiresAt),
            catalog.expiringOfVolumes().values().stream()
                .flatMap(List::stream)
                .map(VolumeSnapshotRecord::expiresAt))
        .filter(Objects::nonNull)
        .map(Instant::parse);
  }

  /** What the last run has tried in vain is not tried again at once. */
  private static Instant afterTry(Instant at, Optional<Instant> last) {
    return last.filter(tried -> !at.isAfter(tried)).map(tried -> tried.plus(PAUSE)).orElse(at);
  }

  /**
   * Starts an instance, with a snapshot before where its schedule has {@code @startup}. One that
   * fails does not keep it from starting; one of an instance that does not start goes again.
   */
  public void start(InstanceId id, boolean stateless) {
    Optional<SnapshotInfo> made = beforeStart(catalog.require(id).value());
    try {
      lifecycle.start(id, stateless);
    } catch (RuntimeException e) {
      made.ifPresent(snapshot -> Undo.after(e, () -> ofInstances.delete(id, snapshot.name())));
      throw e;
    }
  }

  private Optional<SnapshotInfo> beforeStart(InstanceRecord record) {
    boolean due = schedule(record).filter(SnapshotSchedule::isAtStartup).isPresent();
    if (!due
        || record.isThrowaway()
        || record.typedConfig().isTrue(InstanceKeys.PROTECTION_START)
        || machines.find(record.instanceId()).isPresent()) {
      return Optional.empty();
    }
    try {
      return Optional.of(create(record, change -> {}));
    } catch (StapesException e) {
      if (e.kind() == Kind.INTERRUPTED) {
        throw e;
      }
      LOG.warn("{} starts without a snapshot: {}", record.subject(), e.getMessage());
      return Optional.empty();
    }
  }
}
