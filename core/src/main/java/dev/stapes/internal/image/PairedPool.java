package dev.stapes.internal.image;

import dev.stapes.model.IdMapping;
import dev.stapes.model.PoolInfo;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Mounts;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Tree;
import dev.stapes.spi.Undo;
import dev.stapes.spi.VolumeId;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A pool that has block volumes, where the disk of a virtual machine is one. Beside it the machine
 * has an ordinary volume for what else is its own: variables of UEFI, state of a TPM, saved memory.
 * Both have one id here; in the pool the device has the suffix {@value #SUFFIX}. The directory is
 * made first and discarded first, so that what a crash leaves is listed, and discarded with its id.
 *
 * <p>Volumes without a device, those of containers and the users' own, are as in the pool itself.
 */
public final class PairedPool implements StoragePool {
  private static final String SUFFIX = ".disk";

  private final StoragePool pool;
  private final BlockVolumes blocks;
  private final Mounts mounts;

  private PairedPool(StoragePool pool, BlockVolumes blocks, Mounts mounts) {
    this.pool = pool;
    this.blocks = blocks;
    this.mounts = mounts;
  }

  /** Of a pool that has block volumes; any other is answered as it is. */
  public static StoragePool of(StoragePool pool, Mounts mounts) {
    return pool.blockVolumes()
        .<StoragePool>map(blocks -> new PairedPool(pool, blocks, mounts))
        .orElse(pool);
  }

  /**
   * Makes the device of a volume that has none yet, where the pool can have such.
   *
   * @param size rounded up to what the pool can give
   */
  static void makeDevice(StoragePool pool, VolumeId volume, Size size) {
    if (pool instanceof PairedPool paired) {
      paired.blocks.create(deviceOf(volume), size);
    }
  }

  /** Whether a volume has a device beside it. */
  public static boolean hasDevice(StoragePool pool, VolumeId volume) {
    return pool instanceof PairedPool paired && paired.isPair(volume);
  }

  /**
   * Whether a copy of a volume is as of one moment, whoever writes meanwhile. Both halves of a pair
   * are so as a group alone, and groups are read-only.
   */
  public static boolean copiesAtOnce(StoragePool pool, VolumeId source, boolean readOnly) {
    return pool.copies() == PoolInfo.Copies.INSTANT
        && (!hasDevice(pool, source) || (readOnly && pool.groupCopies().isPresent()));
  }

  private static VolumeId deviceOf(VolumeId id) {
    return new VolumeId(id.kind(), id.name() + SUFFIX);
  }

  private boolean isPair(VolumeId id) {
    return mayBePair(id.kind()) && pool.exists(deviceOf(id));
  }

  /** Users name their own volumes as they like. */
  private static boolean mayBePair(VolumeId.Kind kind) {
    return kind != VolumeId.Kind.CUSTOM;
  }

  @Override
  public PoolInfo info() {
    return pool.info();
  }

  @Override
  public PoolInfo.Copies copies() {
    return pool.copies();
  }

  @Override
  public void create(VolumeId id) {
    pool.create(id);
  }

  @Override
  public void copy(VolumeId source, VolumeId target, boolean readOnly) {
    if (!isPair(source)) {
      pool.copy(source, target, readOnly);
      return;
    }
    if (readOnly && pool.groupCopies().isPresent()) {
      pool.groupCopies().get().copy(withDevices(Map.of(source, target)));
      return;
    }
    pool.copy(source, target, readOnly);
    try {
      pool.copy(deviceOf(source), deviceOf(target), readOnly);
    } catch (RuntimeException e) {
      Undo.after(e, () -> pool.discard(target));
      throw e;
    }
  }

  private Map<VolumeId, VolumeId> withDevices(Map<VolumeId, VolumeId> targets) {
    Map<VolumeId, VolumeId> all = new LinkedHashMap<>(targets);
    targets.forEach(
        (source, target) -> {
          if (isPair(source)) {
            all.put(deviceOf(source), deviceOf(target));
          }
        });
    return all;
  }

  @Override
  public Optional<GroupCopies> groupCopies() {
    return pool.groupCopies().map(group -> targets -> group.copy(withDevices(targets)));
  }

  @Override
  public void discard(VolumeId id) {
    pool.discard(id);
    if (isPair(id)) {
      pool.discard(deviceOf(id));
    }
  }

  /** In any order: an intent stands for all of them. */
  @Override
  public void discardAll(Collection<VolumeId> ids) {
    List<VolumeId> all = new ArrayList<>(ids);
    ids.stream().filter(this::isPair).map(PairedPool::deviceOf).forEach(all::add);
    pool.discardAll(all);
  }

  @Override
  public void reclaim() {
    pool.reclaim();
  }

  /** Not of a device that a crash has left alone, see {@link #list}. */
  @Override
  public boolean exists(VolumeId id) {
    return pool.exists(id);
  }

  /** A device that a crash has left alone is there by the id that discards it. */
  @Override
  public Set<VolumeId> list(VolumeId.Kind kind) {
    Set<VolumeId> all = new HashSet<>();
    for (VolumeId id : pool.list(kind)) {
      boolean device = mayBePair(kind) && id.name().endsWith(SUFFIX);
      all.add(
          device
              ? new VolumeId(kind, id.name().substring(0, id.name().length() - SUFFIX.length()))
              : id);
    }
    return all;
  }

  @Override
  public Tree tree(VolumeId id, Tree.Resolution resolution) {
    Tree directory = pool.tree(id, resolution);
    try {
      return isPair(id)
          ? new PairedTree(directory, new DeviceTree(blocks, deviceOf(id), mounts))
          : directory;
    } catch (RuntimeException e) {
      Undo.after(e, directory::close);
      throw e;
    }
  }

  @Override
  public Attachment attach(VolumeId id, Optional<IdMapping> mapping, boolean readOnly) {
    Attachment directory = pool.attach(id, mapping, readOnly);
    try {
      return isPair(id) ? new Pair(directory, blocks.attach(deviceOf(id), readOnly)) : directory;
    } catch (RuntimeException e) {
      Undo.after(e, directory::close);
      throw e;
    }
  }

  private record Pair(Attachment directory, Attachment disk) implements Attachment {
    @Override
    public Path path() {
      return directory.path();
    }

    @Override
    public Optional<IdMapping> mapped() {
      return directory.mapped();
    }

    @Override
    public Optional<Path> device() {
      return Optional.of(disk.path());
    }

    @Override
    public void close() {
      try (directory) {
        disk.close();
      }
    }
  }

  @Override
  public Optional<Quotas> quotas() {
    return pool.quotas().map(Both::new);
  }

  /** Of a pair the limit is that of the directory: its device has a size. */
  private final class Both implements Quotas {
    private final Quotas quotas;

    Both(Quotas quotas) {
      this.quotas = quotas;
    }

    @Override
    public void limit(VolumeId id, Optional<Size> size) {
      quotas.limit(id, size);
    }

    @Override
    public Size usage(VolumeId id) {
      Size directory = quotas.usage(id);
      return isPair(id)
          ? Size.ofBytes(directory.bytes() + quotas.usage(deviceOf(id)).bytes())
          : directory;
    }
  }

  /** Of users' volumes; no others are sent. */
  @Override
  public Optional<SendReceive> sendReceive() {
    return pool.sendReceive();
  }

  @Override
  public Optional<Resumable> resumable() {
    return pool.resumable();
  }

  @Override
  public Optional<BlockVolumes> blockVolumes() {
    return Optional.of(blocks);
  }

  @Override
  public Optional<Growable> growable() {
    return pool.growable();
  }

  @Override
  public Optional<Scratch> scratch() {
    return pool.scratch().map(Disked::new);
  }

  /** What lies in memory over a volume would write to its device. */
  private final class Disked implements Scratch {
    private final Scratch scratch;

    Disked(Scratch scratch) {
      this.scratch = scratch;
    }

    @Override
    public void create(VolumeId source, VolumeId target, Optional<Size> limit) {
      if (isPair(source)) {
        throw new StapesException(
            StapesException.Kind.UNSUPPORTED, "volume " + source, "has a disk, which needs a copy");
      }
      scratch.create(source, target, limit);
    }

    @Override
    public void create(Path fileSystem, VolumeId target, Optional<Size> limit) {
      scratch.create(fileSystem, target, limit);
    }
  }

  @Override
  public void destroy() {
    pool.destroy();
  }

  @Override
  public void close() {
    pool.close();
  }
}
