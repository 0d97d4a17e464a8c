package dev.stapes.storage.lvm;

import dev.stapes.linux.FileSystemInfo;
import dev.stapes.linux.Kernel;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Command;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.VolumeId;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Limits by size: a volume is made so large that its file system has room for as much as the limit
 * says, beside what it needs itself. A file system grows while it is in use; smaller it gets only
 * where its kind can, and while nobody uses it.
 */
final class LvmQuotas implements StoragePool.Quotas {
  private static final long UNIT = 1L << 20;

  /** What a file system needs itself changes with its size, so a second try comes closer. */
  private static final int TRIES = 3;

  private final PoolContext pool;
  private final ThinPool thin;
  private final Catalog catalog;
  private final VolumeMounts mounts;
  private final PoolRoom room;
  private final Gate gate;

  LvmQuotas(
      PoolContext pool,
      ThinPool thin,
      Catalog catalog,
      VolumeMounts mounts,
      PoolRoom room,
      Gate gate) {
    this.pool = pool;
    this.thin = thin;
    this.catalog = catalog;
    this.mounts = mounts;
    this.room = room;
    this.gate = gate;
  }

  @Override
  public void limit(VolumeId id, Optional<Size> size) {
    gate.pass(
        "limit " + id,
        () -> {
          ThinVolume volume = catalog.get(id);
          if (volume.readOnly()) {
            throw new StapesException(Kind.DENIED, "volume " + id, "is read-only");
          }
          if (size.isEmpty()) {
            resize(volume, Math.max(volume.size(), room.usualSize(pool)));
          } else {
            fit(volume, size.get().bytes());
          }
        });
  }

  /** Leaves the volume as it was where that fails. */
  private void fit(ThinVolume volume, long wanted) {
    fill(volume); // a crash may have come between its device and itself
    FileSystemInfo now = info(volume);
    long used = now.size() - now.free();
    if (wanted < used) {
      throw StapesException.invalid(
          "volume " + volume.id(),
          "holds "
              + Size.ofBytes(used).toDisplay()
              + ", which is more than the limit of "
              + Size.ofBytes(wanted).toDisplay());
    }
    try {
      approach(volume, wanted);
    } catch (RuntimeException e) {
      Undo.after(e, () -> fill(resize(catalog.get(volume.id()), volume.size())));
      throw e;
    }
  }

  /** Comes as close to the wanted room as whole units go. */
  private void approach(ThinVolume volume, long wanted) {
    ThinVolume current = volume;
    for (int i = 0; i < TRIES; i++) {
      long overhead = current.size() - info(current).size();
      long target = ThinPoolPlan.up(wanted + overhead, UNIT);
      if (target == current.size()) {
        return;
      }
      current = resize(current, target);
    }
  }

  private ThinVolume resize(ThinVolume volume, long target) {
    if (target > volume.size()) {
      return grow(volume, target);
    }
    return target < volume.size() ? shrink(volume, target) : volume;
  }

  private ThinVolume grow(ThinVolume volume, long target) {
    room.require();
    mounts.files(volume, thin); // the device is there then
    thin.resize(volume, target);
    ThinVolume grown = volume.sized(target);
    catalog.put(grown);
    fill(grown);
    return grown;
  }

  /** Makes the file system as large as its device; nothing is done where it is. */
  private void fill(ThinVolume volume) {
    mounts.with(
        volume,
        thin,
        files -> {
          run(volume, volume.format().grow(thin.device(volume), mountPoint(files)));
          return files;
        });
  }

  private ThinVolume shrink(ThinVolume volume, long target) {
    String subject = "volume " + volume.id();
    VolumeFormat.Shrink how =
        volume
            .format()
            .shrink()
            .orElseThrow(
                () ->
                    new StapesException(
                        Kind.UNSUPPORTED,
                        subject,
                        volume.format().type() + " does not shrink; asked for " + target));
    if (mounts.isUsed(volume)) {
      throw new StapesException(
          Kind.BUSY, subject, "shrinks only while nobody uses it; asked for " + target);
    }
    mounts.files(volume, thin); // the device is there then
    mounts.forget(volume);
    for (Command command : how.to(thin.device(volume), target)) {
      run(volume, command);
    }
    thin.resize(volume, target);
    ThinVolume shrunk = volume.sized(target);
    catalog.put(shrunk);
    return shrunk;
  }

  private void run(ThinVolume volume, Command command) {
    try {
      thin.lvm().toItsEnd(command);
    } catch (StapesException e) {
      throw LvmErrors.of(e, "volume " + volume.id(), "cannot be resized");
    }
  }

  @Override
  public Size usage(VolumeId id) {
    return gate.pass(
        "usage of " + id,
        () -> {
          FileSystemInfo info = info(catalog.get(id));
          return Size.ofBytes(info.size() - info.free());
        });
  }

  private FileSystemInfo info(ThinVolume volume) {
    return mounts.with(volume, thin, files -> new Kernel(pool.sys()).fileSystem(pool.local(files)));
  }

  private static Path mountPoint(Path files) {
    Path parent = files.getParent();
    if (parent == null) {
      throw new IllegalStateException(files + " is no directory of a volume");
    }
    return parent;
  }
}
