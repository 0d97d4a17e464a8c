package dev.stapes.storage.lvm;

import dev.stapes.linux.Fd;
import dev.stapes.linux.FileSystemInfo;
import dev.stapes.linux.Kernel;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Command;
import dev.stapes.spi.Gate;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Undo;
import dev.stapes.spi.VolumeId;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Limits by size: a volume is made so large that its file system has room for as much as the limit
 * says, beside what it needs itself. A file system grows while it is in use; smaller it gets only
 * where its kind can, and while nobody uses it.
 */
final class LvmQuotas implements StoragePool.Quotas {
  private static final Logger LOG = LoggerFactory.getLogger(LvmQuotas.class);
  private static final long UNIT = 1L << 20;

  /** What a file system needs itself changes with its size, so a second try comes closer. */
  private static final int TRIES = 3;

  private final PoolContext pool;
  private final PoolVolumes volumes;
  private final Catalog catalog;
  private final VolumeMounts mounts;
  private final Space space;
  private final Gate gate;
  private final ActiveVolumes active;

  LvmQuotas(
      PoolContext pool,
      PoolVolumes volumes,
      Catalog catalog,
      VolumeMounts mounts,
      Space space,
      Gate gate,
      ActiveVolumes active) {
    this.pool = pool;
    this.volumes = volumes;
    this.catalog = catalog;
    this.mounts = mounts;
    this.space = space;
    this.gate = gate;
    this.active = active;
  }

  @Override
  public void limit(VolumeId id, Optional<Size> size) {
    gate.pass(
        "limit " + id,
        () -> {
          ThinVolume known = catalog.look().get(id).writable();
          known.files();
          active.alone(known, () -> limit(catalog.look().get(id), size));
        });
  }

  private void limit(ThinVolume volume, Optional<Size> size) {
    if (size.isEmpty()) {
      resize(volume, Math.max(volume.size(), space.usualSize()));
    } else {
      fit(volume, size.get().bytes());
    }
  }

  /** Leaves the volume as it was where that fails. */
  private void fit(ThinVolume volume, long wanted) {
    fill(volume); // a crash may have come between its device and itself
    FileSystemInfo now = info(volume);
    long used = now.size() - now.free();
    if (wanted < used) {
      throw new StapesException(
          Kind.EXHAUSTED,
          volume.subject(),
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

  /** While it is mounted nobody puts another one in its place. */
  private ThinVolume grow(ThinVolume volume, long target) {
    space.require();
    return mounts.with(
        () -> catalog.get(volume.id()),
        volumes,
        use -> {
          ThinVolume now = catalog.get(volume.id());
          requireSame(volume, now);
          if (now.size() < target) {
            space.resize(now.name(), now.size(), target);
            now = now.sized(target);
            catalog.put(now);
          }
          fill(now);
          return now;
        });
  }

  private static void requireSame(ThinVolume volume, ThinVolume now) {
    if (!now.name().equals(volume.name())) {
      throw busy(volume, "it was made smaller meanwhile", null);
    }
  }

  /** Makes the file system as large as its device; nothing is done where it is. */
  private void fill(ThinVolume volume) {
    mounts.with(
        () -> catalog.get(volume.id()),
        volumes,
        use -> {
          Path device = volumes.device(use.volume().name());
          run(volume, volume.files().grow(device, use.mountPoint()));
          return use;
        });
  }

  /**
   * What moves the blocks of a file system leaves none where it is cut short: it works on a copy,
   * which takes the volume's place once it is whole.
   */
  private ThinVolume shrink(ThinVolume volume, long target) {
    VolumeFormat.Shrink how =
        volume
            .files()
            .shrink()
            .orElseThrow(
                () ->
                    new StapesException(
                        Kind.UNSUPPORTED,
                        volume.subject(),
                        volume.files().type() + " does not shrink; asked for " + target));
    space.require();
    return mounts.unmounted(
        volume,
        () -> {
          requireSame(volume, catalog.get(volume.id()));
          active.use(volume);
          try {
            Fd held = alone(volume);
            try {
              return replaced(volume, how, target);
            } finally {
              held.close();
            }
          } finally {
            active.release(volume.name());
          }
        });
  }

  /**
   * The device of a volume, which nobody can mount while this is open. For a block device, O_EXCL
   * of open(2) fails where it is mounted, also for those alone who opened a file of it before.
   */
  private Fd alone(ThinVolume volume) {
    try {
      Set<OpenFlag> flags = Set.of(OpenFlag.READ, OpenFlag.EXCLUSIVE);
      return Fd.open(pool.sys(), volumes.device(volume.name()), flags);
    } catch (LinuxException e) {
      if (e.is(Errno.EBUSY)) {
        throw busy(volume, "somebody has files of it open, or has it mounted", e);
      }
      throw e;
    }
  }

  private static StapesException busy(
      ThinVolume volume, String problem, @Nullable Throwable cause) {
    return new StapesException(Kind.BUSY, volume.subject(), problem, cause);
  }

  private ThinVolume replaced(ThinVolume volume, VolumeFormat.Shrink how, long target) {
    ThinVolume draft = volume.named(LvmNames.freshVolume());
    try {
      space.copy(volume.name(), draft.name(), VolumeTags.unnamed(draft));
      active.use(draft.name());
      try {
        shrink(volume, how.to(volumes.device(draft.name()), target), target);
        space.resize(draft.name(), draft.size(), target);
        volumes.replace(volume, draft);
      } finally {
        active.release(draft.name());
      }
    } catch (RuntimeException e) {
      Undo.after(e, () -> takeBack(volume, draft));
      throw e;
    }
    active.made(draft.name());
    ThinVolume shrunk = draft.sized(target);
    catalog.replaced(volume, shrunk);
    throwAway(volume);
    return shrunk;
  }

  /** Whether it fits is known when it was tried. */
  private void shrink(ThinVolume volume, List<Command> commands, long target) {
    for (Command command : commands) {
      try {
        volumes.lvm().toItsEnd(command);
      } catch (StapesException e) {
        boolean tried = e.kind() == Kind.INTERNAL;
        throw new StapesException(
            tried ? Kind.EXHAUSTED : e.kind(),
            volume.subject(),
            "does not fit into " + Size.ofBytes(target).toDisplay() + ": " + e.getMessage(),
            e);
      }
    }
  }

  /** Without this the one in its place says that it is trash, as long as that is there. */
  private void throwAway(ThinVolume replaced) {
    try {
      volumes.throwAway(replaced);
    } catch (StapesException e) {
      LOG.debug("{}: {} has its id still", pool.subject(), replaced.name(), e);
    }
  }

  /** Whether the draft got the id is not known after an error; LVM's own answer counts. */
  private void takeBack(ThinVolume volume, ThinVolume draft) {
    try {
      volumes.removeIfThere(draft.name());
      active.gone(List.of(draft.name()));
    } catch (StapesException e) {
      catalog.discarded(draft.name());
      active.made(draft.name());
      throw e;
    }
    catalog.put(volume);
  }

  private void run(ThinVolume volume, Command command) {
    try {
      volumes.lvm().toItsEnd(command);
    } catch (StapesException e) {
      throw LvmErrors.of(e, "volume " + volume.id(), "cannot be resized");
    }
  }

  @Override
  public Size usage(VolumeId id) {
    return gate.pass(
        "usage of " + id,
        () -> {
          ThinVolume volume = catalog.look().get(id);
          if (volume.format().isEmpty()) {
            return Size.ofBytes(used(volume));
          }
          FileSystemInfo info = info(volume);
          return Size.ofBytes(info.size() - info.free());
        });
  }

  private long used(ThinVolume volume) {
    if (volumes.isPlain()) {
      return space.used(volume);
    }
    active.use(volume);
    return space.used(volume);
  }

  private FileSystemInfo info(ThinVolume volume) {
    return mounts.with(
        () -> catalog.get(volume.id()),
        volumes,
        use -> new Kernel(pool.sys()).fileSystem(pool.local(use.files())));
  }
}
