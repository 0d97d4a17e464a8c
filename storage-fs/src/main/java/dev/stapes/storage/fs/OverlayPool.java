package dev.stapes.storage.fs;

import dev.stapes.model.IdMapping;
import dev.stapes.model.PoolInfo;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Tree;
import dev.stapes.spi.Undo;
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
final class OverlayPool extends FilePool {
  private final PlainRoot root;
  private final LayerStore layers;
  private final OverlayViews overlays;
  private final Sharing sharing;

  /** Held for writing while it is looked for layers that nothing names. */
  private final ReentrantReadWriteLock naming = new ReentrantReadWriteLock(true);

  OverlayPool(PoolContext pool, PlainRoot root, PoolDirectory volumes) {
    super(pool, root.path(), volumes);
    this.root = root;
    this.layers = new LayerStore(pool, root.path());
    this.overlays = new OverlayViews(pool, views, layers);
    this.sharing = new Sharing(pool, volumes, layers, overlays, ids);
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
    return gate.pass("usage", () -> volumes.info(pool.spec(), OverlayProvider.NAME, copies()));
  }

  @Override
  public PoolInfo.Copies copies() {
    return PoolInfo.Copies.INSTANT_AT_REST;
  }

  @Override
  public void create(VolumeId id) {
    naming("create " + id, () -> sharing.create(id));
  }

  @Override
  void naming(String wanted, Runnable work) {
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
  void copyOnDisk(VolumeId source, VolumeId target, boolean readOnly) {
    sharing.copy(source, target, readOnly);
  }

  @Override
  void discardOnDisk(VolumeId id) {
    volumes.forget(id);
  }

  @Override
  public void reclaim() {
    gate.passInTurn(
        "reclaim",
        () -> {
          scratch.reclaim();
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
  Tree openOnDisk(VolumeId id, Tree.Resolution resolution) {
    OverlayViews.Open open = overlays.forTree(id, sharing.read(id));
    try {
      Tree tree = pool.host().tree(pool.local(open.path()), resolution, open.mapping());
      return WatchedTree.of(tree, open::release);
    } catch (RuntimeException e) {
      Undo.after(e, open::release);
      throw e;
    }
  }

  @Override
  Attachment attachOnDisk(VolumeId id, Optional<IdMapping> mapping, boolean readOnly) {
    LayeredVolume volume = sharing.read(id);
    OverlayViews.Open open = overlays.forMachine(id, volume, mapping);
    if (!readOnly || volume.readOnly()) {
      return Attachment.of(open.path(), mapping, open::release);
    }
    try {
      Path view = views.readOnly(open.path());
      return Attachment.of(
          view,
          mapping,
          () -> {
            views.dropIfThere(view);
            open.release();
          });
    } catch (RuntimeException e) {
      Undo.after(e, open::release);
      throw e;
    }
  }

  @Override
  LayerBase base(VolumeId source) {
    List<Path> shared = sharing.frozen(source).stream().map(LayerStore::files).toList();
    return new LayerBase(layers.root(), shared);
  }

  @Override
  public void destroy() {
    gate.closeAfter(
        "destroy",
        () -> {
          views.remove();
          layers.removeAll();
          volumes.dismantle();
          root.removeOwn();
          source.delete();
        });
  }

  @Override
  public void close() {
    gate.close("close", views::close);
  }
}
