package dev.stapes.internal.engine;

import dev.stapes.internal.image.DeviceTree;
import dev.stapes.internal.image.VolumeDisk;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.VolumeContent;
import dev.stapes.spi.Machine;
import dev.stapes.spi.Mounts;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import java.util.List;
import java.util.Optional;

/**
 * What custom volumes hold. The bytes of a disk are a block device on pools that have such, and
 * else a file in an ordinary volume; seen as a {@link Tree} both are the same.
 */
final class VolumeContents {
  /** Of an image that does not say how large it is. */
  private static final Size FIRST = Size.ofMebibytes(1);

  /** The largest media have some 128 GB. */
  private static final long MOST = 256L << 30;

  private final PoolService pools;
  private final Mounts mounts;

  VolumeContents(PoolService pools, Mounts mounts) {
    this.pools = pools;
    this.mounts = mounts;
  }

  /** Fails where a pool cannot have such a volume. */
  static void requirePossible(StoragePool pool, VolumeRecord volume) {
    if (volume.contentType() == VolumeContent.FILESYSTEM && volume.size().isPresent()) {
      PoolService.quotas(pool);
    }
  }

  /** Whether a volume is a block device. */
  static boolean isDevice(StoragePool pool, VolumeId volume) {
    return sizeOfDevice(pool, volume).isPresent();
  }

  private static Optional<Size> sizeOfDevice(StoragePool pool, VolumeId volume) {
    return pool.blockVolumes().flatMap(blocks -> blocks.size(volume));
  }

  /** Makes an empty one, as its record says. */
  void create(StoragePool pool, VolumeRecord volume) {
    createWithoutDisk(pool, volume.volumeId(), volume);
    if (volume.contentType() == VolumeContent.FILESYSTEM) {
      pools.limit(pool, volume.volumeId(), volume.size());
    } else if (!isDevice(pool, volume.volumeId())) {
      disk(pool, volume).create(volume.size());
    }
  }

  /** Gives one that was copied the limit, or at least the size, that its record says. */
  void fit(StoragePool pool, VolumeRecord volume) {
    if (!volume.isDisk()) {
      pools.limit(pool, volume.volumeId(), volume.size());
    } else if (volume.contentType() == VolumeContent.BLOCK) {
      disk(pool, volume).growTo(volume.size().orElse(VolumeDisk.USUAL));
    }
  }

  /**
   * Makes a volume that a disk, or a tree, is to be copied into.
   *
   * @param volume what it is to hold
   */
  void createWithoutDisk(StoragePool pool, VolumeId made, VolumeRecord volume) {
    createWithoutDisk(pool, made, volume, volume.size());
  }

  /**
   * The same of another size than the record says.
   *
   * @param size that a disk is to have
   */
  void createWithoutDisk(
      StoragePool pool, VolumeId made, VolumeRecord volume, Optional<Size> size) {
    Optional<StoragePool.BlockVolumes> blocks = pool.blockVolumes();
    if (volume.contentType() == VolumeContent.FILESYSTEM || blocks.isEmpty()) {
      pool.create(made);
    } else {
      blocks.get().create(made, size.orElse(VolumeDisk.USUAL));
    }
  }

  /**
   * Makes the place for an image, and answers it.
   *
   * @param size of the image; where nobody knows it a device grows while it is written to
   * @param least bytes that the image says it has; 0: it says nothing
   */
  Tree place(StoragePool pool, VolumeRecord volume, Optional<Size> size, long least) {
    // What an image says of itself is believed as far as it costs no more than a stream would.
    Size first = least > 0 && least <= MOST ? Size.ofBytes(least) : FIRST;
    createWithoutDisk(pool, volume.volumeId(), volume, size.or(() -> Optional.of(first)));
    Tree tree = tree(pool, volume.volumeId());
    return tree instanceof DeviceTree device && size.isEmpty() ? device.growing() : tree;
  }

  /** The files of a volume, resolved BENEATH. */
  Tree tree(StoragePool pool, VolumeId volume) {
    return isDevice(pool, volume)
        ? new DeviceTree(pool.blockVolumes().orElseThrow(), volume, mounts)
        : pool.tree(volume, Tree.Resolution.BENEATH);
  }

  /** The disk that a volume is. */
  VolumeDisk disk(StoragePool pool, VolumeRecord volume) {
    return new VolumeDisk(() -> tree(pool, volume.volumeId()), volume.subject());
  }

  /** The bytes that the disk of a volume has. */
  Size size(StoragePool pool, VolumeRecord volume, VolumeId copy) {
    return sizeOfDevice(pool, copy)
        .orElseGet(() -> new VolumeDisk(() -> tree(pool, copy), volume.subject()).size());
  }

  /**
   * Fails where what somebody else has filled a volume with is not the disk that it is said to be.
   *
   * @param filled by whom it was filled
   * @param volume what it is said to be, with the size that a device has at least
   */
  void requireDisk(StoragePool pool, VolumeId made, Tree filled, VolumeRecord volume) {
    Size said = volume.size().orElseThrow();
    if (filled instanceof DeviceTree device) {
      requireAll(volume, device.filled(), said);
      return;
    }
    try (Tree tree = tree(pool, made)) {
      boolean alone = tree.list("/").equals(List.of(Machine.Disk.IMAGE));
      Optional<Tree.Stat> found = tree.stat(Machine.Disk.IMAGE);
      if (!alone || found.filter(VolumeContents::isPlain).isEmpty()) {
        throw StapesException.invalid(
            "backup", "of a disk has other things in it than " + Machine.Disk.IMAGE);
      }
      long bytes = found.orElseThrow().size();
      if (bytes > said.bytes()) {
        throw differs(bytes, said);
      }
      requireAll(volume, bytes, said);
    }
  }

  /** The disk of a snapshot may be smaller than that of now; an image never changes. */
  private static void requireAll(VolumeRecord volume, long bytes, Size said) {
    if (bytes == 0 || (volume.contentType() == VolumeContent.ISO && bytes < said.bytes())) {
      throw differs(bytes, said);
    }
  }

  private static StapesException differs(long bytes, Size said) {
    return StapesException.invalid(
        "backup", "has a disk of " + Size.ofBytes(bytes) + ", and says " + said);
  }

  private static boolean isPlain(Tree.Stat stat) {
    return stat.type() == Tree.Type.FILE && stat.links() == 1 && stat.size() > 0;
  }
}
