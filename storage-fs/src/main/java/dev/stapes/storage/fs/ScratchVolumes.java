package dev.stapes.storage.fs;

import dev.stapes.model.IdMapping;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Mounts;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Tree;
import dev.stapes.spi.Undo;
import dev.stapes.spi.VolumeId;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/** The volumes of a pool that live in memory. They are gone with the pool object or its JVM. */
final class ScratchVolumes {
  private final PoolContext pool;
  private final Views views;
  private final MappedMounts lowers;
  private final MountedImages images;
  private final Map<VolumeId, ScratchVolume> volumes = new ConcurrentHashMap<>();

  ScratchVolumes(PoolContext pool, Views views) {
    this.pool = pool;
    this.views = views;
    this.lowers = new MappedMounts(pool, views, Set.of(Mounts.Flag.READ_ONLY));
    this.images = new MountedImages(pool, views, lowers);
  }

  /** Makes a volume over a base. The caller has made sure that its id is free on the disk. */
  void create(LayerBase base, VolumeId target, Optional<Size> limit) {
    put(target, ScratchVolume.create(pool, views, lowers, base, limit));
  }

  /**
   * Makes a volume over the file system in a file. The caller has made sure that its id is free.
   */
  void create(Path fileSystem, VolumeId target, Optional<Size> limit) {
    LayerBase base = images.use(fileSystem);
    try {
      create(base, target, limit);
    } catch (RuntimeException e) {
      Undo.after(e, () -> images.release(base.root()));
      throw e;
    }
  }

  private void put(VolumeId target, ScratchVolume made) {
    if (volumes.putIfAbsent(target, made) != null) {
      made.discard();
      throw new StapesException(
          Kind.CONFLICT, "volume " + target, "exists already in " + pool.subject());
    }
  }

  /** The volume of an id, if it is one in memory. */
  Optional<ScratchVolume> find(VolumeId id) {
    return Optional.ofNullable(volumes.get(id));
  }

  /** Copies one, if the source is one. */
  boolean copy(VolumeId source, VolumeId target, boolean readOnly) {
    Optional<ScratchVolume> found = find(source);
    found.ifPresent(volume -> copy(volume, target, readOnly));
    return found.isPresent();
  }

  private void copy(ScratchVolume volume, VolumeId target, boolean readOnly) {
    Path root = volume.base().root();
    images.retain(root);
    try {
      put(target, volume.copy(readOnly));
    } catch (RuntimeException e) {
      Undo.after(e, () -> images.release(root));
      throw e;
    }
  }

  /** Frees one, if it is one. */
  boolean discard(VolumeId id) {
    ScratchVolume volume = volumes.get(id);
    if (volume != null) {
      volume.discard();
      volumes.remove(id);
      images.release(volume.base().root());
    }
    return volume != null;
  }

  /** Opens the files of one, if it is one. */
  Optional<Tree> tree(VolumeId id, Tree.Resolution resolution) {
    return find(id).map(volume -> volume.tree(resolution));
  }

  /** Attaches one, if it is one. */
  Optional<StoragePool.Attachment> attach(
      VolumeId id, Optional<IdMapping> mapping, boolean readOnly) {
    return find(id).map(volume -> volume.attach("volume " + id, mapping, readOnly));
  }

  /**
   * Prepares for a directory that is about to go.
   *
   * @throws StapesException BUSY where a volume lies over it
   */
  void release(Path root, VolumeId id) {
    String above =
        volumes.entrySet().stream()
            .filter(entry -> entry.getValue().liesOver(root))
            .map(entry -> entry.getKey().toString())
            .sorted()
            .limit(3)
            .collect(Collectors.joining(", "));
    if (!above.isEmpty()) {
      throw new StapesException(Kind.BUSY, "volume " + id, "scratch volumes lie over it: " + above);
    }
    lowers.forget(root);
  }

  /** Unmounts file systems in files that are gone and that no volume lies over. */
  void reclaim() {
    images.dropDeleted();
  }

  /** The ids of all. */
  Set<VolumeId> ids() {
    return volumes.keySet();
  }

  /** What all of them lie over. */
  Set<LayerBase> bases() {
    return volumes.values().stream().map(ScratchVolume::base).collect(Collectors.toSet());
  }
}
