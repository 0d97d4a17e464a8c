package dev.stapes.storage.lvm;

import dev.stapes.model.IdMapping;
import dev.stapes.model.PoolInfo;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Command;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A thin pool: a volume is a thin volume with a file system, a copy is a thin snapshot. */
final class LvmPool implements StoragePool {
  private static final Logger LOG = LoggerFactory.getLogger(LvmPool.class);

  private final PoolContext pool;
  private final Backing backing;
  private final ThinPool thin;
  private final Catalog catalog;
  private final VolumeMounts mounts;
  private final PoolRoom room;
  private final Gate gate;
  private final Runnable forgetMark;

  /** Volumes whose devices may be there. */
  private final Set<String> active = ConcurrentHashMap.newKeySet();

  private final Object reclaiming = new Object();

  /**
   * An open one.
   *
   * @param forgetMark removes what says that there is a pool
   */
  LvmPool(PoolContext pool, Backing backing, ThinPool.Content content, Runnable forgetMark) {
    this.pool = pool;
    this.backing = backing;
    this.thin = content.pool();
    this.catalog = new Catalog(pool.subject(), content);
    this.mounts = new VolumeMounts(pool, this::appear);
    this.room = new PoolRoom(pool.subject(), thin, backing.growth(), System::nanoTime);
    this.gate = new Gate(pool.subject());
    this.forgetMark = forgetMark;
  }

  @Override
  public PoolInfo info() {
    return gate.pass(
        "usage",
        () -> {
          Fullness fullness = room.measure();
          return new PoolInfo(
              pool.spec().name(),
              LvmProvider.NAME,
              pool.spec().config(),
              Size.ofBytes(fullness.size()),
              Size.ofBytes(fullness.used()),
              PoolInfo.Copies.INSTANT);
        });
  }

  @Override
  public void create(VolumeId id) {
    gate.pass(
        "create " + id,
        () -> {
          VolumeFormat format =
              VolumeFormat.of(pool.get(LvmKeys.FORMAT).orElse("ext4")).orElseThrow();
          ThinVolume volume = ThinVolume.fresh(id, format, room.usualSize(pool));
          publish(
              volume,
              () -> {
                active.add(volume.name());
                thin.create(volume);
                run(format.make(thin.device(volume)), "cannot make a file system");
                mounts.files(volume, thin);
                thin.name(volume);
              });
        });
  }

  @Override
  public void copy(VolumeId source, VolumeId target, boolean readOnly) {
    gate.pass(
        "copy " + source + " to " + target,
        () -> {
          ThinVolume from = catalog.get(source);
          ThinVolume to = from.copy(target, readOnly);
          if (!from.readOnly() && !from.format().isFrozenWithDevice()) {
            mounts.sync(from, thin);
          }
          publish(to, () -> thin.snapshot(from, to));
        });
  }

  /** Makes a volume; where that fails there is none, or one that is listed and can be discarded. */
  private void publish(ThinVolume volume, Runnable maker) {
    catalog.begin(volume.id());
    try {
      room.require();
      try {
        maker.run();
        catalog.put(volume);
      } catch (RuntimeException e) {
        Undo.after(e, () -> takeBack(volume));
        throw e;
      }
    } finally {
      catalog.end(volume.id());
    }
  }

  private void takeBack(ThinVolume volume) {
    try {
      mounts.forget(volume);
      thin.removeIfThere(volume);
      active.remove(volume.name());
    } catch (RuntimeException e) {
      catalog.put(volume);
      throw e;
    }
  }

  @Override
  public void discard(VolumeId id) {
    gate.pass(
        "discard " + id,
        () -> {
          Optional<ThinVolume> volume = catalog.find(id);
          if (volume.isPresent()) {
            mounts.forget(volume.get());
            throwAway(volume.get());
          }
        });
  }

  private void throwAway(ThinVolume volume) {
    try {
      thin.throwAway(volume);
    } catch (StapesException e) {
      if (isThere(volume, e)) {
        throw e;
      }
    }
    catalog.discarded(volume);
  }

  /** Whether a volume still has its id after an error. */
  private boolean isThere(ThinVolume volume, StapesException error) {
    Set<String> there = new HashSet<>();
    there.add(volume.name()); // as long as nothing else is known
    Undo.after(
        error,
        () -> {
          boolean known =
              thin.content().volumes().stream()
                  .anyMatch(other -> other.name().equals(volume.name()));
          if (!known) {
            there.clear();
          }
        });
    return !there.isEmpty();
  }

  @Override
  public void reclaim() {
    gate.pass(
        "reclaim",
        () -> {
          synchronized (reclaiming) {
            Set<String> trash = catalog.trash();
            if (!trash.isEmpty()) {
              remove(trash);
            }
            room.measure();
          }
        });
  }

  private void remove(Set<String> trash) {
    try {
      thin.remove(trash);
    } catch (StapesException e) {
      Set<String> gone = new HashSet<>(trash);
      gone.removeAll(thin.content().trash());
      catalog.reclaimed(gone);
      active.removeAll(gone);
      if (e.kind() != Kind.BUSY) {
        throw e;
      }
      LOG.debug("{}: some volumes are removed later", pool.subject(), e);
      return;
    }
    catalog.reclaimed(trash);
    active.removeAll(trash);
  }

  @Override
  public boolean exists(VolumeId id) {
    return gate.pass("look for " + id, () -> catalog.find(id).isPresent());
  }

  @Override
  public Set<VolumeId> list(VolumeId.Kind kind) {
    return gate.pass("list", () -> catalog.list(kind));
  }

  @Override
  public Tree tree(VolumeId id, Tree.Resolution resolution) {
    return gate.pass(
        "open " + id,
        () -> {
          ThinVolume volume = catalog.get(id);
          return mounts.with(
              volume, thin, files -> pool.host().tree(pool.local(files), resolution));
        });
  }

  @Override
  public Attachment attach(VolumeId id, Optional<IdMapping> mapping, boolean readOnly) {
    return gate.pass(
        "attach " + id,
        () -> {
          ThinVolume volume = catalog.get(id);
          Path files = mounts.use(volume, thin);
          if (!readOnly) {
            return new VolumeAttachment(files, () -> mounts.release(volume));
          }
          try {
            Path view = mounts.view(files);
            return new VolumeAttachment(
                view,
                () -> {
                  try {
                    mounts.drop(view);
                  } finally {
                    mounts.release(volume);
                  }
                });
          } catch (RuntimeException e) {
            Undo.after(e, () -> mounts.release(volume));
            throw e;
          }
        });
  }

  /** Makes the device of a volume ready to be mounted. */
  private void appear(ThinVolume volume) {
    if (!active.contains(volume.name())) {
      thin.activate(volume);
      active.add(volume.name());
    }
    Optional<Command> renewal =
        volume.copied() ? volume.format().renewUuid(thin.device(volume)) : Optional.empty();
    if (renewal.isPresent()) {
      run(renewal.get(), "cannot give the copy a UUID of its own");
      thin.untag(volume, VolumeTags.COPIED);
      catalog.put(volume.withOwnUuid());
    }
  }

  private void run(Command command, String problem) {
    try {
      pool.host().programs().run(command);
    } catch (StapesException e) {
      throw LvmErrors.of(e, pool.subject(), problem);
    }
  }

  @Override
  public Optional<Quotas> quotas() {
    return Optional.of(new LvmQuotas(pool, thin, catalog, mounts, room, gate));
  }

  @Override
  public Optional<SendReceive> sendReceive() {
    return Optional.empty();
  }

  @Override
  public Optional<Scratch> scratch() {
    return Optional.empty();
  }

  @Override
  public Optional<Growable> growable() {
    return backing
        .resize()
        .map(
            resize ->
                size ->
                    gate.alone(
                        "grow",
                        () -> {
                          resize.growTo(thin, size);
                          room.measure();
                        }));
  }

  @Override
  public void destroy() {
    gate.close(
        "destroy",
        () -> {
          mounts.close();
          backing.remove(thin);
          forgetMark.run();
        });
  }

  @Override
  public void close() {
    gate.close(
        "close",
        () -> {
          try {
            mounts.close();
          } finally {
            deactivate();
          }
        });
  }

  private void deactivate() {
    try {
      thin.deactivate(active);
    } catch (StapesException e) {
      LOG.info("{}: some devices stay: {}", pool.subject(), e.getMessage(), e);
    }
  }
}
