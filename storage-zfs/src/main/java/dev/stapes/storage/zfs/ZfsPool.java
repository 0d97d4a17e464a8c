package dev.stapes.storage.zfs;

import dev.stapes.linux.host.DriverErrors;
import dev.stapes.model.IdMapping;
import dev.stapes.model.PoolInfo;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Gate;
import dev.stapes.spi.HeldTree;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Tree;
import dev.stapes.spi.Undo;
import dev.stapes.spi.VolumeId;
import dev.stapes.storage.zfs.Backing.Usage;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

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
  private final ZfsResumable resumable;
  private final BlockUses uses = new BlockUses();
  private final ZvolDevices devices;
  private final ZfsBlocks blocks;

  /** A pool whose backing is open. */
  ZfsPool(PoolContext pool, Backing backing) {
    this.pool = pool;
    this.backing = backing;
    this.root = backing.root();
    this.index = new VolumeIndex(pool.subject());
    this.zfs = new Zfs(pool, index::distrust);
    this.gate = new Gate(pool.subject(), DriverErrors::naming);
    Suspension suspension = Suspension.of(pool.machine());
    BooleanSupplier stuck = () -> suspension.of(root.zpool());
    this.mounts = new DatasetMounts(pool, stuck);
    this.trash = new Trash(pool, root, new Zfs(pool), gate, index.claims(), this::needed);
    this.quotas = new ZfsQuotas(this, zfs, pool.spec().config());
    this.transfers = new Transfers(pool.host(), pool.subject(), stuck);
    this.streams = new ZfsStreams(this, backing, zfs, names, transfers, index::distrust);
    this.resumable = new ZfsResumable(this, backing, zfs, streams, index::distrust);
    this.devices = new ZvolDevices(pool);
    this.blocks = new ZfsBlocks(this, backing, zfs, names, uses, devices, pool.spec().config());
  }

  /** Reads what there is. */
  void load() {
    gate.alone("list", this::refresh);
  }

  private void refresh() {
    if (index.isStale()) {
      long before = index.doubts();
      index.load(root, zfs.entries(root), before);
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
    return gate.pass("use", () -> work.apply(index));
  }

  /** Who works with what is to be a volume; never waited for in a {@link #pass}. */
  Claims claims() {
    return index.claims();
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
              copies());
        });
  }

  @Override
  public PoolInfo.Copies copies() {
    return PoolInfo.Copies.INSTANT;
  }

  private DatasetName dataset(VolumeId id) {
    return root.child(VolumeNames.component(id));
  }

  @Override
  public void create(VolumeId id) {
    pass(
        known -> {
          known.requireFree(id);
          backing.requireRoom();
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
          backing.requireRoom();
          Place to = readOnly ? snapshot(from, target) : dataset(from, target);
          known.put(target, to, known.blocks(source));
          return target;
        });
  }

  /** A snapshot has one name: another one of the same is taken of a clone that nobody uses. */
  private Place snapshot(Place from, VolumeId target) {
    String component = VolumeNames.component(target);
    if (!from.isSnapshot()) {
      return taken(new Place(from.dataset(), component));
    }
    return names.during(
        between -> {
          Place clone = Place.of(root.child(between));
          Place to = new Place(clone.dataset(), component);
          zfs.clone(from, clone.dataset());
          return taken(to);
        });
  }

  private Place dataset(Place from, VolumeId target) {
    Place to = Place.of(dataset(target));
    if (from.isSnapshot()) {
      zfs.clone(from, to.dataset());
      return to;
    }
    return names.during(
        between -> {
          zfs.clone(taken(new Place(from.dataset(), between)), to.dataset());
          return to;
        });
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
          "discard " + id,
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

  /**
   * Snapshots that nothing needs are destroyed by few calls: to rename each takes one of its own.
   */
  @Override
  public void discardAll(Collection<VolumeId> ids) {
    Collection<VolumeId> rest = ids;
    if (pool.calls().isPresent() && ids.size() > 1) {
      rest = new TogetherGone(pool.subject(), this, zfs, pool.calls().get()).rest(ids);
    }
    StoragePool.super.discardAll(rest);
  }

  private void throwAway(VolumeId id) {
    Optional<Place> place = index.find(id);
    if (place.isPresent()) {
      quotas.release(place.get(), index.blocks(id) > 0);
      // Who empties the trash may not know yet who has it mounted.
      names.during(component -> renamed(place.get(), gone(place.get(), component), id));
    }
  }

  /** Throws a dataset away that is no volume; does nothing where there is none. */
  void throwAway(DatasetName dataset) {
    Place place = Place.of(dataset);
    if (pass(known -> zfs.exists(dataset))) {
      gate.alone(
          "throw " + dataset + " away",
          () -> {
            if (zfs.exists(dataset)) { // a reclaim may have been quicker
              names.during(component -> renamed(place, gone(place, component), null));
            }
          });
    }
  }

  private Place renamed(Place place, Place to, @Nullable VolumeId id) {
    try {
      zfs.rename(place, to);
    } catch (GivenUp e) {
      e.afterwards(
          done -> {
            if (done) {
              moved(place, to);
            }
          });
      throw e;
    }
    if (id != null) {
      index.remove(id);
    }
    index.moved(place, to);
    moved(place, to);
    return to;
  }

  private void moved(Place place, Place to) {
    mounts.moved(place, to);
    uses.moved(place, to);
  }

  /**
   * Components that stay although they are called gone. ZFS would unmount what is mounted but has
   * no open file, and tell nobody.
   */
  private Set<String> needed() {
    Set<String> needed = new HashSet<>(names.inProgress());
    claims().received().forEach(id -> needed.add(VolumeNames.unfinished(id)));
    for (Place place : uses.inUse()) {
      VolumeIndex.below(root, place.dataset()).ifPresent(needed::add);
    }
    for (Place place : mounts.inUse()) {
      VolumeIndex.below(root, place.dataset()).ifPresent(needed::add);
      needed.add(place.snapshot());
    }
    return needed;
  }

  private Place gone(Place place, String component) {
    return place.isSnapshot()
        ? new Place(place.dataset(), component)
        : Place.of(root.child(component));
  }

  @Override
  public void reclaim() {
    trash.empty();
  }

  @Override
  public boolean exists(VolumeId id) {
    return pass(known -> known.find(id).isPresent());
  }

  /** The same, also while the pool is closed, and of what was known last. */
  boolean isKnown(VolumeId id) {
    return index.find(id).isPresent();
  }

  @Override
  public Set<VolumeId> list(VolumeId.Kind kind) {
    return pass(known -> known.all(kind));
  }

  /** The mount stays as long as the tree: its descriptor would be the last to let it go. */
  @Override
  public Tree tree(VolumeId id, Tree.Resolution resolution) {
    return pass(
        known -> {
          DatasetMounts.Use use = mounts.use(known.requireFiles(id), false);
          return HeldTree.open(
              () -> pool.host().tree(pool.local(use.path()), resolution), use::close);
        });
  }

  @Override
  public Attachment attach(VolumeId id, Optional<IdMapping> mapping, boolean readOnly) {
    return pass(known -> new VolumeAttachment(mounts.use(known.requireFiles(id), readOnly)));
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
  public Optional<Resumable> resumable() {
    return Optional.of(resumable);
  }

  @Override
  public Optional<BlockVolumes> blockVolumes() {
    return Optional.of(blocks);
  }

  @Override
  public Optional<GroupCopies> groupCopies() {
    return Optional.of(this::copyTogether);
  }

  /** What is a snapshot already does not change: it is copied after the others. */
  private void copyTogether(Map<VolumeId, VolumeId> targets) {
    if (Set.copyOf(targets.values()).size() < targets.size()) {
      throw pool.failure(Kind.CONFLICT, "two copies of one name: " + targets);
    }
    Map<VolumeId, VolumeId> still =
        pass(
            known -> {
              targets.values().forEach(known::requireFree);
              Map<VolumeId, VolumeId> snapshots = new TreeMap<>();
              Map<VolumeId, Place> taken = new TreeMap<>();
              Map<VolumeId, Long> blocks = new TreeMap<>();
              targets.forEach(
                  (source, target) -> {
                    Place from = known.require(source);
                    if (from.isSnapshot()) {
                      snapshots.put(source, target);
                    } else {
                      String component = VolumeNames.component(target);
                      taken.put(target, new Place(from.dataset(), component));
                      blocks.put(target, known.blocks(source));
                    }
                  });
              take(known, taken, blocks);
              return snapshots;
            });
    List<VolumeId> made = new ArrayList<>(targets.values());
    made.removeAll(still.values());
    copyAfter(still, made);
  }

  private void take(VolumeIndex known, Map<VolumeId, Place> taken, Map<VolumeId, Long> blocks) {
    backing.requireRoom();
    if (!taken.isEmpty()) {
      zfs.snapshot(List.copyOf(taken.values()));
      taken.forEach((id, place) -> known.put(id, place, blocks.getOrDefault(id, 0L)));
    }
  }

  /** Where one fails all that were made go again; what somebody else made meanwhile does not. */
  private void copyAfter(Map<VolumeId, VolumeId> still, List<VolumeId> made) {
    try {
      still.forEach(
          (source, target) -> {
            copy(source, target, true);
            made.add(target);
          });
    } catch (RuntimeException e) {
      made.forEach(id -> Undo.after(e, () -> discard(id)));
      throw e;
    }
  }

  @Override
  public Optional<Growable> growable() {
    return backing.resize().map(resize -> size -> grow(resize, size));
  }

  private void grow(Backing.Resize resize, Size size) {
    gate.alone("grow", () -> resize.growTo(size));
  }

  @Override
  public Optional<Scratch> scratch() {
    return Optional.empty();
  }

  @Override
  public void destroy() {
    gate.closeAfter(
        "destroy",
        () -> {
          try {
            transfers.close();
            mounts.remove();
            devices.remove();
            backing.remove();
          } catch (RuntimeException e) {
            transfers.reopen();
            throw e;
          }
        });
  }

  @Override
  public void close() {
    gate.close(
        "close",
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
