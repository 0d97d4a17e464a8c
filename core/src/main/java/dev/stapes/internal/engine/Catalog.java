package dev.stapes.internal.engine;

import dev.stapes.model.InstanceId;
import dev.stapes.model.StapesException;
import dev.stapes.spi.StateStore;
import dev.stapes.spi.StateStore.Entry;
import dev.stapes.spi.StateStore.Transaction;
import dev.stapes.spi.VolumeId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The records, typed, over two stores of one shape: the durable one, and one in memory that holds
 * what is never written down, throwaway instances and their snapshots.
 */
final class Catalog {
  private static final String INSTANCES = "instances/";
  private static final String NAMES = "names/";
  private static final String SNAPSHOTS = "snapshots/";
  private static final String POOLS = "pools/";
  private static final String VOLUMES = "volumes/";
  private static final String VOLUME_NAMES = "volume-names/";
  private static final String VOLUME_SNAPSHOTS = "volume-snapshots/";
  private static final String SCHEDULES = "schedules/last";
  private static final String SCHEDULED = "schedules/of/";
  private static final String EXPIRING = "\"expiresAt\":\"";
  private static final String INTENTS = "intents/";

  private static final int REMEMBERED = 4096;

  private static final Json<InstanceRecord> INSTANCE =
      Json.remembering(InstanceRecord.class, REMEMBERED);
  private static final Json<SnapshotRecord> SNAPSHOT = Json.of(SnapshotRecord.class);
  private static final Json<PoolRecord> POOL = Json.of(PoolRecord.class);
  private static final Json<VolumeRecord> VOLUME = Json.of(VolumeRecord.class);
  private static final Json<VolumeSnapshotRecord> VOLUME_SNAPSHOT =
      Json.of(VolumeSnapshotRecord.class);
  private static final Json<Intent> INTENT = Json.of(Intent.class);

  private final StateStore durable;
  private final StateStore fleeting;

  Catalog(StateStore durable, StateStore fleeting) {
    this.durable = durable;
    this.fleeting = fleeting;
  }

  /** A record, with the revision that changed it last. */
  record Stored<T>(T value, long revision) {}

  /** A change in the making, in the store that the instance belongs to. */
  Change change(boolean throwaway) {
    return new Change(throwaway ? fleeting : durable);
  }

  Optional<Stored<InstanceRecord>> instance(InstanceId id) {
    String key = INSTANCES + id;
    Optional<Entry> entry = fleeting.get(key);
    return (entry.isPresent() ? entry : durable.get(key)).map(e -> read(INSTANCE, e));
  }

  /** A record that is to be there; NOT_FOUND otherwise. */
  Stored<InstanceRecord> require(InstanceId id) {
    return instance(id).orElseThrow(() -> StapesException.notFound("instance " + id));
  }

  Optional<InstanceId> idOf(String name) {
    String key = NAMES + name;
    Optional<Entry> entry = fleeting.get(key);
    return (entry.isPresent() ? entry : durable.get(key)).map(e -> new InstanceId(e.value()));
  }

  List<Stored<InstanceRecord>> instances() {
    List<Stored<InstanceRecord>> all = new ArrayList<>(durableInstances());
    fleeting.prefix(INSTANCES).forEach(entry -> all.add(read(INSTANCE, entry)));
    return all;
  }

  List<InstanceRecord> throwaways() {
    return fleeting.prefix(INSTANCES).stream().map(entry -> read(INSTANCE, entry).value()).toList();
  }

  List<Stored<InstanceRecord>> durableInstances() {
    return durable.prefix(INSTANCES).stream().map(entry -> read(INSTANCE, entry)).toList();
  }

  Optional<Stored<SnapshotRecord>> snapshot(InstanceRecord owner, String name) {
    return storeOf(owner).get(snapshotKey(owner.id(), name)).map(e -> read(SNAPSHOT, e));
  }

  List<SnapshotRecord> snapshots(InstanceRecord owner) {
    return storeOf(owner).prefix(SNAPSHOTS + owner.id() + "/").stream()
        .map(entry -> read(SNAPSHOT, entry).value())
        .toList();
  }

  /** The volumes of the snapshots of all durable instances and volumes: only for recovery. */
  List<VolumeId> durableSnapshotVolumes() {
    return Stream.of(SNAPSHOTS, VOLUME_SNAPSHOTS)
        .flatMap(kind -> durable.prefix(kind).stream())
        .map(entry -> Json.member(entry.key(), entry.value(), "volume"))
        .map(volume -> new VolumeId(VolumeId.Kind.SNAPSHOT, volume))
        .toList();
  }

  List<PoolRecord> pools() {
    return durable.prefix(POOLS).stream().map(entry -> read(POOL, entry).value()).toList();
  }

  /** A custom volume by its place. */
  Optional<VolumeRecord> volume(String pool, String name) {
    return durable.get(nameOfVolume(pool, name)).flatMap(entry -> volume(entry.value()));
  }

  /** A custom volume by its id. */
  Optional<VolumeRecord> volume(String id) {
    return durable.get(VOLUMES + id).map(entry -> read(VOLUME, entry).value());
  }

  /** The custom volumes of a pool, by name. */
  List<VolumeRecord> volumes(String pool) {
    return durable.prefix(VOLUME_NAMES + pool + "/").stream()
        .flatMap(entry -> volume(entry.value()).stream())
        .toList();
  }

  Optional<VolumeSnapshotRecord> snapshot(VolumeRecord owner, String name) {
    return durable
        .get(snapshotKeyOfVolume(owner.id(), name))
        .map(entry -> read(VOLUME_SNAPSHOT, entry).value());
  }

  /** The snapshots of a custom volume, oldest first. */
  List<VolumeSnapshotRecord> snapshots(VolumeRecord owner) {
    return durable.prefix(snapshotKeyOfVolume(owner.id(), "")).stream()
        .map(entry -> read(VOLUME_SNAPSHOT, entry).value())
        .sorted(VolumeSnapshotRecord.BY_AGE)
        .toList();
  }

  /** Unfinished intents by their ids, oldest first. */
  SortedMap<String, Intent> intents() {
    TreeMap<String, Intent> all = new TreeMap<>();
    for (Entry entry : durable.prefix(INTENTS)) {
      all.put(entry.key().substring(INTENTS.length()), read(INTENT, entry).value());
    }
    return all;
  }

  /** Removes an intent, where there is one. */
  void forgetIntent(String id) {
    if (durable.get(INTENTS + id).isPresent()) {
      change(false).removeIntent(id).commit();
    }
  }

  /** When schedules were run last. */
  Optional<Instant> lastSchedules() {
    return durable.get(SCHEDULES).map(entry -> Instant.parse(entry.value()));
  }

  /** Until when the schedule of an instance or volume was followed, where not as of all others. */
  SortedMap<String, Instant> scheduled() {
    TreeMap<String, Instant> all = new TreeMap<>();
    for (Entry entry : durable.prefix(SCHEDULED)) {
      all.put(entry.key().substring(SCHEDULED.length()), Instant.parse(entry.value()));
    }
    return all;
  }

  /** Snapshots of durable instances that expire; of all others nothing is read but the text. */
  Map<String, List<SnapshotRecord>> expiringOfInstances() {
    return durable.prefix(SNAPSHOTS).stream()
        .filter(entry -> entry.value().contains(EXPIRING))
        .map(entry -> read(SNAPSHOT, entry).value())
        .collect(Collectors.groupingBy(SnapshotRecord::instance));
  }

  /** The same of custom volumes, by their ids. */
  Map<String, List<VolumeSnapshotRecord>> expiringOfVolumes() {
    return durable.prefix(VOLUME_SNAPSHOTS).stream()
        .filter(entry -> entry.value().contains(EXPIRING))
        .map(entry -> read(VOLUME_SNAPSHOT, entry).value())
        .collect(Collectors.groupingBy(VolumeSnapshotRecord::of));
  }

  /** Returns when everything durable is on stable storage. */
  void sync() {
    durable.sync();
  }

  private StateStore storeOf(InstanceRecord owner) {
    return owner.isThrowaway() ? fleeting : durable;
  }

  private static String snapshotKey(String instance, String name) {
    return SNAPSHOTS + instance + "/" + name;
  }

  private static String nameOfVolume(String pool, String name) {
    return VOLUME_NAMES + pool + "/" + name;
  }

  private static String snapshotKeyOfVolume(String id, String name) {
    return VOLUME_SNAPSHOTS + id + "/" + name;
  }

  private static <T> Stored<T> read(Json<T> json, Entry entry) {
    return new Stored<>(json.read(entry.key(), entry.value()), entry.modified());
  }

  /** Collects writes; {@link #commit} does all of them or none. */
  static final class Change {
    private final StateStore store;
    private final Transaction.Builder transaction = Transaction.begin();

    private Change(StateStore store) {
      this.store = store;
    }

    Change insert(InstanceRecord record) {
      transaction
          .ifAbsent(NAMES + record.name())
          .ifAbsent(INSTANCES + record.id())
          .put(NAMES + record.name(), record.id());
      return put(record);
    }

    Change put(InstanceRecord record) {
      transaction.put(INSTANCES + record.id(), INSTANCE.write(record));
      return this;
    }

    Change unchanged(InstanceRecord record, long revision) {
      transaction.ifUnchanged(INSTANCES + record.id(), revision);
      return this;
    }

    Change rename(InstanceRecord record, String newName) {
      transaction
          .ifAbsent(NAMES + newName)
          .remove(NAMES + record.name())
          .put(NAMES + newName, record.id());
      return put(record.withName(newName));
    }

    Change remove(InstanceRecord record) {
      transaction.remove(INSTANCES + record.id()).remove(NAMES + record.name());
      return this;
    }

    Change insert(SnapshotRecord record) {
      String key = snapshotKey(record.instance(), record.name());
      transaction.ifAbsent(key).put(key, SNAPSHOT.write(record));
      return this;
    }

    Change rename(SnapshotRecord record, String newName) {
      remove(record);
      return insert(record.withName(newName));
    }

    Change remove(SnapshotRecord record) {
      transaction.remove(snapshotKey(record.instance(), record.name()));
      return this;
    }

    Change insert(PoolRecord record) {
      transaction.ifAbsent(POOLS + record.name()).put(POOLS + record.name(), POOL.write(record));
      return this;
    }

    Change put(PoolRecord record) {
      transaction.put(POOLS + record.name(), POOL.write(record));
      return this;
    }

    Change removePool(String name) {
      transaction.remove(POOLS + name);
      return this;
    }

    Change insert(VolumeRecord record) {
      String name = nameOfVolume(record.pool(), record.name());
      transaction.ifAbsent(name).put(name, record.id());
      return put(record);
    }

    Change put(VolumeRecord record) {
      transaction.put(VOLUMES + record.id(), VOLUME.write(record));
      return this;
    }

    /** Gives a volume another place, name or both. */
    Change move(VolumeRecord before, VolumeRecord after) {
      transaction.remove(nameOfVolume(before.pool(), before.name()));
      return insert(after);
    }

    Change remove(VolumeRecord record) {
      transaction.remove(VOLUMES + record.id()).remove(nameOfVolume(record.pool(), record.name()));
      return this;
    }

    Change insert(VolumeSnapshotRecord record) {
      transaction.ifAbsent(snapshotKeyOfVolume(record.of(), record.name()));
      return put(record);
    }

    Change put(VolumeSnapshotRecord record) {
      transaction.put(
          snapshotKeyOfVolume(record.of(), record.name()), VOLUME_SNAPSHOT.write(record));
      return this;
    }

    Change remove(VolumeSnapshotRecord record) {
      transaction.remove(snapshotKeyOfVolume(record.of(), record.name()));
      return this;
    }

    Change put(String intentId, Intent intent) {
      transaction.put(INTENTS + intentId, INTENT.write(intent));
      return this;
    }

    Change lastSchedules(Instant at) {
      transaction.put(SCHEDULES, at.toString());
      return this;
    }

    Change scheduled(String id, Instant until) {
      transaction.put(SCHEDULED + id, until.toString());
      return this;
    }

    Change removeScheduled(String id) {
      transaction.remove(SCHEDULED + id);
      return this;
    }

    Change removeIntent(String intentId) {
      transaction.remove(INTENTS + intentId);
      return this;
    }

    /**
     * Commits.
     *
     * @throws StapesException CONFLICT where something that must not exist does, or something
     *     changed
     */
    long commit() {
      return store.commit(transaction.build());
    }
  }
}
