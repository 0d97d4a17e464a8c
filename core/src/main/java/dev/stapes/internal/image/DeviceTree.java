package dev.stapes.internal.image;

import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Machine;
import dev.stapes.spi.Mounts;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A volume that is a block device, as the tree that it is on pools without such: a directory with
 * one file in it, {@link Machine.Disk#IMAGE}. So all that copies, packs and unpacks trees does it
 * for devices, too. A device has no owner, mode or time: they are taken and forgotten.
 */
public final class DeviceTree implements Tree {
  private static final String ROOT = "/";

  /** One that grows does so by such a part: what is too much of it stays. */
  private static final long GROWTH = 8;

  private final StoragePool.BlockVolumes blocks;
  private final VolumeId volume;
  private final Mounts mounts;
  private final boolean grows;
  private final AtomicBoolean begun = new AtomicBoolean();
  private final AtomicLong filled = new AtomicLong();

  /** Of a volume that is there; nothing is attached before it is read or written. */
  public DeviceTree(StoragePool.BlockVolumes blocks, VolumeId volume, Mounts mounts) {
    this(blocks, volume, mounts, false);
  }

  private DeviceTree(
      StoragePool.BlockVolumes blocks, VolumeId volume, Mounts mounts, boolean grows) {
    this.blocks = blocks;
    this.volume = volume;
    this.mounts = mounts;
    this.grows = grows;
  }

  /** The same device, which gets larger while more is written to it than it has. */
  public DeviceTree growing() {
    return new DeviceTree(blocks, volume, mounts, true);
  }

  /** The bytes that it was filled with by what was opened here; 0 before that is finished. */
  public long filled() {
    return filled.get();
  }

  static boolean isRoot(String path) {
    return path.isEmpty() || path.equals(ROOT) || path.equals(".");
  }

  static boolean isDisk(String path) {
    return path.equals(Machine.Disk.IMAGE) || path.equals(ROOT + Machine.Disk.IMAGE);
  }

  private StapesException refused(String path) {
    return StapesException.invalid(
        "volume " + volume,
        "is a disk, which has the file " + Machine.Disk.IMAGE + " alone: \"" + path + "\"");
  }

  private void require(boolean holds, String path) {
    if (!holds) {
      throw refused(path);
    }
  }

  private long size() {
    return blocks
        .size(volume)
        .orElseThrow(() -> StapesException.invalid("volume " + volume, "is no disk"))
        .bytes();
  }

  @Override
  public Optional<Stat> stat(String path) {
    if (isRoot(path)) {
      return Optional.of(new Stat(Type.DIRECTORY, 0700, 0, 0, 0, Instant.EPOCH, 0, 0, 2, 1));
    }
    return isDisk(path)
        ? Optional.of(new Stat(Type.FILE, VolumeDisk.MODE, 0, 0, size(), Instant.EPOCH, 0, 0, 1, 2))
        : Optional.empty();
  }

  @Override
  public List<String> list(String path) {
    require(isRoot(path), path);
    return List.of(Machine.Disk.IMAGE);
  }

  @Override
  public InputStream read(String path) {
    require(isDisk(path), path);
    long size = size();
    return new DeviceInput(open(true), size);
  }

  @Override
  public NewFile newFile(String path) {
    require(isDisk(path), path);
    if (!begun.compareAndSet(false, true)) { // what was left out would keep bytes of the first
      throw new StapesException(Kind.CONFLICT, "volume " + volume, "has been filled already");
    }
    long size = size();
    return new DeviceFile(open(false), size, grows ? this::grown : DeviceTree::full, filled::set);
  }

  private long grown(long size, long needed) {
    blocks.grow(volume, Size.ofBytes(Math.max(needed, Math.addExact(size, size / GROWTH))));
    return size();
  }

  private static long full(long size, long needed) {
    throw StapesException.invalid(
        "disk",
        "more comes than it has: it has " + Size.ofBytes(size) + ", and gets " + needed + " bytes");
  }

  private DeviceContent open(boolean readOnly) {
    return DeviceContent.open(
        "volume " + volume, blocks.attach(volume, readOnly), mounts, readOnly);
  }

  @Override
  public void resize(String path, long size) {
    require(isDisk(path), path);
    blocks.grow(volume, Size.ofBytes(size));
  }

  @Override
  public Map<String, byte[]> xattrs(String path) {
    return Map.of();
  }

  @Override
  public void chown(String path, long uid, long gid) {}

  @Override
  public void chmod(String path, int mode) {}

  @Override
  public void setModified(String path, Instant time) {}

  @Override
  public void setXattr(String path, String name, byte[] value) {}

  @Override
  public Tree subtree(String path) {
    require(isRoot(path), path);
    return this;
  }

  @Override
  public OutputStream write(String path, int mode) {
    throw unsupported(path);
  }

  @Override
  public OutputStream writeAs(String path, long uid, long gid, int mode) {
    throw unsupported(path);
  }

  @Override
  public OutputStream append(String path, int mode) {
    throw unsupported(path);
  }

  @Override
  public OutputStream create(String path, int mode) {
    throw unsupported(path);
  }

  private StapesException unsupported(String path) {
    return isDisk(path)
        ? new StapesException(
            Kind.UNSUPPORTED, "volume " + volume, "is a disk, which is filled as a whole")
        : refused(path);
  }

  @Override
  public void mkdir(String path, int mode) {
    throw refused(path);
  }

  @Override
  public void symlink(String target, String path) {
    throw refused(path);
  }

  @Override
  public void hardlink(String existing, String path) {
    throw refused(path);
  }

  @Override
  public void mkfifo(String path, int mode) {
    throw refused(path);
  }

  @Override
  public void mknod(String path, Type type, int mode, int major, int minor) {
    throw refused(path);
  }

  @Override
  public String readlink(String path) {
    throw refused(path);
  }

  @Override
  public void rename(String from, String to) {
    throw refused(from);
  }

  @Override
  public void remove(String path) {
    throw refused(path);
  }

  @Override
  public void removeAll(String path) {
    throw refused(path);
  }

  @Override
  public void close() {
    // What is open has its own end.
  }
}
