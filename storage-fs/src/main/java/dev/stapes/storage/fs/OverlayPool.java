package dev.stapes.storage.fs;

import dev.stapes.model.IdMapping;
import dev.stapes.model.PoolInfo;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * A pool of layers. A copy shares the layers of its source: what the source's changes were becomes
 * a layer that nobody changes any more, and both get a new one for their own. See the decision
 * about layers and owners in the project's documents.
 */
final class OverlayPool implements StoragePool {
  private final PoolContext pool;
  private final PlainRoot root;
  private final PoolDirectory volumes;
  private final LayerStore layers;
  private final Views views;
  private final ScratchVolumes scratch;
  private final OverlayViews overlays;
  private final Ids ids;
  private final Sharing sharing;
  private final Gate gate;

  /** Held for writing while it is looked for layers that nothing names. */
  private final ReentrantReadWriteLock naming = new ReentrantReadWriteLock(true);

  OverlayPool(PoolContext pool, PlainRoot root, PoolDirectory volumes) {
    this.pool = pool;
    this.root = root;
    this.volumes = volumes;
    this.layers = new LayerStore(pool, root.path());
    this.views = new Views(pool);
    this.scratch = new ScratchVolumes(pool, views);
    this.overlays = new OverlayViews(pool, views, layers);
    this.ids = new Ids(pool, volumes, scratch);
    this.sharing = new Sharing(pool, volumes, layers, overlays, ids);
    this.gate = new Gate(pool.subject());
  }

  /** Fails where this file system cannot be below an overlay with mapped owners. */
  void tryOut() {
    VolumeId id = new VolumeId(VolumeId.Kind.CUSTOM, "trial");
    create(id);
    try {
      try (Attachment attachment = attach(id, Optional.of(IdMapping.of(100_000, 1000)), false);
          Tree tree =
              pool.host()
                  .tree(
                      pool.local(attachment.path()),
                      Tree.Resolution.BENEATH,
                      attachment.mapped())) {
        tree.mkdir("written", 0755);
      } catch (StapesException e) {
        throw new StapesException(
            Kind.UNSUPPORTED,
            pool.subject(),
            root.path()
                + ": its file system cannot be below an overlay with mapped owners: use the dir"
                + " driver: "
                + e.getMessage(),
            e);
      }
    } finally {
      discard(id);
      reclaim();
    }
  }

  @Override
  public PoolInfo info() {
    return gate.pass(
        "usage", () -> volumes.info(pool.spec(), OverlayProvider.NAME, PoolInfo.Copies.INSTANT));
  }

  @Override
  public void create(VolumeId id) {
    name("create " + id, () -> sharing.create(id));
  }

  private void name(String wanted, Runnable work) {
    gate.pass(
        wanted,
        () -> {
          naming.readLock().lock();
          try {
            work.run();
          } finally {
            naming.readLock().unlock();
          }
        });
  }

  @Override
  public void copy(VolumeId source, VolumeId target, boolean readOnly) {
    name(
        "copy " + source + " to " + target,
        () -> {
          ids.requireForCopy(source, target);
          if (!scratch.copy(source, target, readOnly)) {
            sharing.copy(source, target, readOnly);
          }
        });
  }

  @Override
  public void discard(VolumeId id) {
    gate.pass(
        "discard " + id,
        () -> {
          if (!scratch.discard(id)) {
            volumes.forget(id);
          }
        });
  }

  @Override
  public void reclaim() {
    gate.passInTurn(
        "reclaim",
        () -> {
          for (String layer : unreferenced()) {
            layers.remove(layer);
          }
          volumes.reclaim(sharing::removeAll);
        });
  }

  /** What nothing names now, nothing will name later: names are only copied. */
  private List<String> unreferenced() {
    naming.writeLock().lock();
    try {
      Set<String> used = new HashSet<>(overlays.layersInUse());
      for (VolumeId id : volumes.list()) {
        sharing.readIfWhole(id).ifPresent(volume -> used.addAll(volume.layers()));
      }
      for (LayerBase base : scratch.bases()) {
        base.layers().forEach(path -> used.add(path.getName(0).toString()));
      }
      return layers.unreferenced(used);
    } finally {
      naming.writeLock().unlock();
    }
  }

  @Override
  public boolean exists(VolumeId id) {
    return gate.pass("look for " + id, () -> ids.exists(id));
  }

  @Override
  public Set<VolumeId> list() {
    return gate.pass("list", ids::all);
  }

  @Override
  public Tree tree(VolumeId id, Tree.Resolution resolution) {
    return gate.pass(
        "open " + id,
        () -> {
          Optional<Tree> inMemory = scratch.tree(id, resolution);
          if (inMemory.isPresent()) {
            return inMemory.get();
          }
          OverlayViews.Open open = overlays.forTree(id, sharing.read(id));
          try {
            Tree tree = pool.host().tree(pool.local(open.path()), resolution, open.mapping());
            return WatchedTree.of(tree, open::release);
          } catch (RuntimeException e) {
            Failures.alsoDo(e, open::release);
            throw e;
          }
        });
  }

  @Override
  public Attachment attach(VolumeId id, Optional<IdMapping> mapping, boolean readOnly) {
    return gate.pass(
        "attach " + id,
        () -> {
          Optional<Attachment> inMemory = scratch.attach(id, mapping, readOnly);
          if (inMemory.isPresent()) {
            return inMemory.get();
          }
          LayeredVolume volume = sharing.read(id);
          OverlayViews.Open open = overlays.forMachine(id, volume, mapping);
          if (!readOnly || volume.readOnly()) {
            return new PathAttachment(open.path(), mapping, open::release);
          }
          try {
            Path view = views.readOnly(open.path());
            return new PathAttachment(
                view,
                mapping,
                () -> {
                  views.dropIfThere(view);
                  open.release();
                });
          } catch (RuntimeException e) {
            Failures.alsoDo(e, open::release);
            throw e;
          }
        });
  }

  @Override
  public Optional<Quotas> quotas() {
    return Optional.empty();
  }

  @Override
  public Optional<SendReceive> sendReceive() {
    return Optional.empty();
  }

  @Override
  public Optional<Growable> growable() {
    return Optional.empty();
  }

  @Override
  public Optional<Scratch> scratch() {
    return Optional.of(this::createScratch);
  }

  private void createScratch(VolumeId source, VolumeId target, Optional<Size> limit) {
    name(
        "create " + target + " over " + source,
        () -> {
          ids.requireForCopy(source, target);
          if (!scratch.copy(source, target, false)) {
            List<Path> shared = sharing.frozen(source).stream().map(LayerStore::files).toList();
            scratch.create(new LayerBase(layers.root(), shared), target, limit);
          }
        });
  }

  @Override
  public void destroy() {
    gate.close(
        "destroy",
        () -> {
          views.remove();
          layers.removeAll();
          volumes.dismantle();
          root.removeOwn();
        });
  }

  @Override
  public void close() {
    gate.close("close", views::close);
  }
}
