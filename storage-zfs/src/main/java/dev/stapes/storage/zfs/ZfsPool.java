package dev.stapes.storage.zfs;

import dev.stapes.model.IdMapping;
import dev.stapes.model.PoolInfo;
import dev.stapes.model.Size;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import dev.stapes.storage.zfs.Backing.Usage;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * A pool of ZFS: a volume that can be written to is a dataset, a read-only copy of it is a snapshot
 * of that dataset. A volume that is discarded is renamed, and {@link Reclamation} says how its
 * space comes back: so nothing that others were copied from, or are snapshots of, stands in the
 * way.
 */
final class ZfsPool implements StoragePool {
  private final PoolContext pool;
  private final Backing backing;
  private final DatasetName root;
  private final Zfs zfs;
  private final Gate gate;
  private final VolumeIndex index;
  private final VolumeNames names = new VolumeNames();
  private final DatasetMounts mounts;
  private final Trash trash;
  private final ZfsQuotas quotas;
  private final Transfers transfers;
  private final ZfsStreams streams;

  /** A pool whose backing is open. */
  ZfsPool(PoolContext pool, Backing backing) {
    this.pool = pool;
    this.backing = backing;
    this.root = backing.root();
    this.index = new VolumeIndex(pool.subject());
    this.zfs = new Zfs(pool.host().programs(), pool.subject(), index::distrust);
    this.gate = new Gate(pool.subject());
    this.mounts = new DatasetMounts(pool);
    this.trash =
        new Trash(pool, root, new Zfs(pool.host().programs(), pool.subject()), gate, this::needed);
    this.quotas = new ZfsQuotas(this, zfs);
    this.transfers = new Transfers(pool.host(), pool.subject());
    this.streams = new ZfsStreams(this, zfs, names, transfers, index::distrust);
  }

  /** Reads what there is. */
  void load() {
    gate.alone(this::refresh);
  }

  private void refresh() {
    if (index.isStale()) {
      index.load(root, zfs.entries(root));
    }
  }

  /** The dataset that its volumes lie in. */
  DatasetName root() {
    return root;
  }

  /** Work with an index that is right; others go on beside it. */
  <T> T pass(Function<VolumeIndex, T> work) {
    if (index.isStale()) {
      load();
    }
    return gate.pass(() -> work.apply(index));
  }

  @Override
  public PoolInfo info() {
    return pass(
        known -> {
          Usage usage = backing.usage();
          return new PoolInfo(
              pool.spec().name(),
              ZfsProvider.NAME,
              pool.spec().config(),
              usage.total(),
              usage.used(),
              PoolInfo.Copies.INSTANT);
        });
  }

  private DatasetName dataset(VolumeId id) {
    return root.child(VolumeNames.component(id));
  }

  @Override
  public void create(VolumeId id) {
    pass(
        known -> {
          known.requireFree(id);
          zfs.create(dataset(id), Map.of());
          known.put(id, Place.of(dataset(id)));
          return id;
        });
  }

  @Override
  public void copy(VolumeId source, VolumeId target, boolean readOnly) {
    pass(
        known -> {
          Place from = known.require(source);
          known.requireFree(target);
          known.put(target, readOnly ? snapshot(from, target) : dataset(from, target));
          return target;
        });
  }

  /** A snapshot has one name: another one of the same is taken of a clone that nobody uses. */
  private Place snapshot(Place from, VolumeId target) {
    String component = VolumeNames.component(target);
    if (!from.isSnapshot()) {
      return taken(new Place(from.dataset(), component));
    }
    String between = names.begin();
    try {
      Place clone = Place.of(root.child(between));
      Place to = new Place(clone.dataset(), component);
      zfs.clone(from, clone.dataset());
      return taken(to);
    } finally {
      names.done(between);
    }
  }

  private Place dataset(Place from, VolumeId target) {
    Place to = Place.of(dataset(target));
    if (from.isSnapshot()) {
      zfs.clone(from, to.dataset());
      return to;
    }
    String between = names.begin();
    try {
      zfs.clone(taken(new Place(from.dataset(), between)), to.dataset());
      return to;
    } finally {
      names.done(between);
    }
  }

  private Place taken(Place snapshot) {
    zfs.snapshot(List.of(snapshot));
    return snapshot;
  }

  /** The snapshots of a dataset move with it, so nobody may be about to copy one meanwhile. */
  @Override
  public void discard(VolumeId id) {
    boolean moves = pass(known -> known.find(id).map(known::hasSnapshots).orElse(false));
    if (moves) {
      gate.alone(
          () -> {
            refresh();
            throwAway(id);
          });
    } else {
      pass(
          known -> {
            throwAway(id);
            return id;
          });
    }
  }

  private void throwAway(VolumeId id) {
    Optional<Place> place = index.find(id);
    if (place.isPresent()) {
      Place to = gone(place.get());
      zfs.rename(place.get(), to);
      index.remove(id);
      index.moved(place.get(), to);
      mounts.moved(place.get(), to);
    }
  }

  /**
   * Components that stay although they are called gone. ZFS would unmount what is mounted but has
   * no open file, and tell nobody.
   */
  private Set<String> needed() {
    Set<String> needed = new HashSet<>(names.inProgress());
    for (Place place : mounts.inUse()) {
      VolumeIndex.below(root, place.dataset()).ifPresent(needed::add);
      needed.add(place.snapshot());
    }
    return needed;
  }

  private Place gone(Place place) {
    return place.isSnapshot()
        ? new Place(place.dataset(), VolumeNames.gone())
        : Place.of(root.child(VolumeNames.gone()));
  }

  @Override
  public void reclaim() {
    trash.empty();
  }

  @Override
  public boolean exists(VolumeId id) {
    return pass(known -> known.find(id).isPresent());
  }

  @Override
  public Set<VolumeId> list(VolumeId.Kind kind) {
    return pass(known -> known.all(kind));
  }

  /** The tree holds what it shows by a descriptor, so that its mount need not stay. */
  @Override
  public Tree tree(VolumeId id, Tree.Resolution resolution) {
    return pass(
        known -> {
          try (DatasetMounts.Use use = mounts.use(known.require(id), false)) {
            return pool.host().tree(pool.local(use.path()), resolution);
          }
        });
  }

  @Override
  public Attachment attach(VolumeId id, Optional<IdMapping> mapping, boolean readOnly) {
    return pass(known -> new VolumeAttachment(mounts.use(known.require(id), readOnly)));
  }

  @Override
  public Optional<Quotas> quotas() {
    return Optional.of(quotas);
  }

  @Override
  public Optional<SendReceive> sendReceive() {
    return Optional.of(streams);
  }

  @Override
  public Optional<Growable> growable() {
    return backing.resize().map(resize -> size -> grow(resize, size));
  }

  private void grow(Backing.Resize resize, Size size) {
    gate.alone(() -> resize.growTo(size));
  }

  @Override
  public Optional<Scratch> scratch() {
    return Optional.empty();
  }

  @Override
  public void destroy() {
    gate.close(
        () -> {
          transfers.close();
          mounts.remove();
          backing.remove();
        });
  }

  @Override
  public void close() {
    gate.close(
        () -> {
          try {
            transfers.close();
          } finally {
            try {
              mounts.close();
            } finally {
              backing.close();
            }
          }
        });
  }
}
