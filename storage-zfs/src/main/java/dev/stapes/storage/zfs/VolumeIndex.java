package dev.stapes.storage.zfs;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.VolumeId;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Where each volume is. It is read from ZFS when the pool is opened, and anew after a command that
 * failed: so no change needs a look at what there is. Nobody else changes the volumes of a pool.
 */
final class VolumeIndex {
  private final String subject;
  private final Map<VolumeId, Place> places = new ConcurrentHashMap<>();

  /** The volumes that are snapshots of a dataset; none is empty. */
  private final Map<DatasetName, Set<VolumeId>> snapshots = new ConcurrentHashMap<>();

  /** The bytes of those that are block devices. */
  private final Map<VolumeId, Long> blocks = new ConcurrentHashMap<>();

  private final Claims claims;

  /** How often somebody said that nobody knows any more what there is. */
  private final AtomicLong doubts = new AtomicLong(1);

  /** Those that came before it was read. */
  private volatile long settled;

  VolumeIndex(String subject) {
    this.subject = subject;
    this.claims = new Claims(subject);
  }

  /** Whether it has to be read anew before it is used. */
  boolean isStale() {
    return settled != doubts.get();
  }

  /** Says that nobody knows any more what there is. */
  void distrust() {
    doubts.incrementAndGet();
  }

  /** What {@link #load} is to be told: asked for before ZFS is. */
  long doubts() {
    return doubts.get();
  }

  /**
   * Takes over what ZFS tells; nobody else uses the index meanwhile.
   *
   * @param before the {@link #doubts} of before ZFS was asked; it stays stale where more came since
   */
  void load(DatasetName root, List<Entry> entries, long before) {
    Map<VolumeId, Place> found = volumes(root, entries);
    Map<Place, Long> sizes = new HashMap<>();
    entries.forEach(entry -> sizes.put(entry.place(), entry.blocks()));
    places.clear();
    snapshots.clear();
    blocks.clear();
    found.forEach((id, place) -> put(id, place, sizes.getOrDefault(place, 0L)));
    settled = before;
  }

  /** The volumes among entries: datasets just below the root, and snapshots of any of them. */
  static Map<VolumeId, Place> volumes(DatasetName root, List<Entry> entries) {
    Map<VolumeId, Place> found = new HashMap<>();
    for (Entry entry : entries) {
      Optional<String> dataset = below(root, entry.place().dataset());
      if (dataset.isPresent()) {
        String component = entry.place().isSnapshot() ? entry.place().snapshot() : dataset.get();
        VolumeNames.volume(component).ifPresent(id -> found.put(id, entry.place()));
      }
    }
    return found;
  }

  /** The component of a dataset just below the root. */
  static Optional<String> below(DatasetName root, DatasetName dataset) {
    String prefix = root.text() + "/";
    if (!dataset.text().startsWith(prefix)) {
      return Optional.empty();
    }
    String rest = dataset.text().substring(prefix.length());
    return rest.contains("/") ? Optional.empty() : Optional.of(rest);
  }

  Optional<Place> find(VolumeId id) {
    return Optional.ofNullable(places.get(id));
  }

  Place require(VolumeId id) {
    return find(id)
        .orElseThrow(
            () -> new StapesException(Kind.NOT_FOUND, "volume " + id, "not found in " + subject));
  }

  /** Volumes that are to be: nobody else makes them meanwhile, whatever is read. */
  Claims claims() {
    return claims;
  }

  /** Fails also where somebody receives it. */
  void requireFree(VolumeId id) {
    requireNotThere(id);
    if (claims.isReceived(id)) {
      throw new StapesException(Kind.CONFLICT, "volume " + id, "is being received in " + subject);
    }
  }

  void requireNotThere(VolumeId id) {
    if (places.containsKey(id)) {
      throw new StapesException(Kind.CONFLICT, "volume " + id, "exists already in " + subject);
    }
  }

  /** A volume of files. */
  void put(VolumeId id, Place place) {
    put(id, place, 0);
  }

  /**
   * Any volume.
   *
   * @param bytes of a block device; 0 for files
   */
  void put(VolumeId id, Place place, long bytes) {
    if (bytes > 0) {
      blocks.put(id, bytes);
    }
    places.put(id, place);
    if (place.isSnapshot()) {
      snapshots.compute(place.dataset(), (dataset, ids) -> with(ids, id));
    }
  }

  private static Set<VolumeId> with(@Nullable Set<VolumeId> ids, VolumeId id) {
    Set<VolumeId> more = ids == null ? new HashSet<>() : ids;
    more.add(id);
    return more;
  }

  /** The bytes of a volume that is a block device; 0 for files. */
  long blocks(VolumeId id) {
    return blocks.getOrDefault(id, 0L);
  }

  /** A volume of files. */
  Place requireFiles(VolumeId id) {
    Place place = require(id);
    if (blocks(id) > 0) {
      throw StapesException.invalid("volume " + id, "it is a block device, and has no files");
    }
    return place;
  }

  void remove(VolumeId id) {
    Place place = places.remove(id);
    blocks.remove(id);
    if (place != null && place.isSnapshot()) {
      snapshots.computeIfPresent(
          place.dataset(),
          (dataset, ids) -> {
            ids.remove(id);
            return ids.isEmpty() ? null : ids;
          });
    }
  }

  /** Whether snapshots of a dataset are volumes. */
  boolean hasSnapshots(Place dataset) {
    return !dataset.isSnapshot() && snapshots.containsKey(dataset.dataset());
  }

  /**
   * Says that a dataset has another name; its snapshots went with it. Nobody adds one meanwhile.
   */
  void moved(Place from, Place to) {
    Set<VolumeId> ids = from.isSnapshot() ? null : snapshots.remove(from.dataset());
    if (ids != null) {
      snapshots.put(to.dataset(), ids);
      ids.forEach(
          id ->
              places.computeIfPresent(
                  id, (known, place) -> new Place(to.dataset(), place.snapshot())));
    }
  }

  Set<VolumeId> all(VolumeId.Kind kind) {
    Set<VolumeId> all = new TreeSet<>(places.keySet());
    all.removeIf(id -> id.kind() != kind);
    return all;
  }
}
