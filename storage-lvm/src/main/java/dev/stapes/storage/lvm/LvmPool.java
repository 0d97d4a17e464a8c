package dev.stapes.storage.lvm;

import dev.stapes.linux.host.DriverErrors;
import dev.stapes.model.IdMapping;
import dev.stapes.model.PoolInfo;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Command;
import dev.stapes.spi.Gate;
import dev.stapes.spi.HeldTree;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Tree;
import dev.stapes.spi.Undo;
import dev.stapes.spi.VolumeId;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A pool: a volume is a logical volume with a file system, a copy is one with the same data. */
final class LvmPool implements StoragePool {
  private static final Logger LOG = LoggerFactory.getLogger(LvmPool.class);

  /** So many volumes are removed by one command. */
  private static final int AT_ONCE = 50;

  private final PoolContext pool;
  private final Backing backing;
  private final PoolVolumes volumes;
  private final Catalog catalog;
  private final ActiveVolumes active;
  private final VolumeMounts mounts;
  private final Space space;
  private final Gate gate;
  private final NewVolumes making;
  private final LvmStreams streams;
  private final LvmBlocks blocks;
  private final Runnable forgetMark;

  /**
   * An open one.
   *
   * @param forgetMark removes what says that there is a pool
   */
  LvmPool(PoolContext pool, Backing backing, PoolContent content, Runnable forgetMark) {
    this.pool = pool;
    this.backing = backing;
    this.volumes = content.pool();
    this.catalog = new Catalog(pool.subject(), content);
    this.active = new ActiveVolumes(pool.subject(), volumes, content.active());
    this.mounts = new VolumeMounts(pool, this::appear, active::release);
    this.space = Spaces.of(pool, volumes, backing, active, catalog::discarded);
    this.gate = new Gate(pool.subject(), DriverErrors::naming);
    this.making = new NewVolumes(volumes, catalog, space, active, mounts);
    this.streams = new LvmStreams(pool, volumes, catalog, space, gate, active);
    this.blocks = new LvmBlocks(pool, volumes, catalog, space, gate, active, making);
    this.forgetMark = forgetMark;
    if (volumes.isShared()) {
      mounts.tidy();
    }
  }

  @Override
  public PoolInfo info() {
    return gate.pass(
        "usage",
        () -> {
          Space.Usage usage = space.measure();
          return new PoolInfo(
              pool.spec().name(),
              pool.spec().driver(),
              pool.spec().config(),
              Size.ofBytes(usage.size()),
              Size.ofBytes(usage.used()),
              copies());
        });
  }

  @Override
  public PoolInfo.Copies copies() {
    return space.copies();
  }

  @Override
  public void create(VolumeId id) {
    gate.pass(
        "create " + id,
        () -> {
          VolumeFormat format =
              VolumeFormat.of(pool.get(LvmKeys.FORMAT).orElse("ext4")).orElseThrow();
          ThinVolume volume = ThinVolume.fresh(id, format, space.usualSize());
          making.publish(
              volume,
              () -> {
                active.comes(volume.name());
                space.create(volume);
                run(format.make(volumes.device(volume.name())), "cannot make a file system");
                mounts.files(() -> volume, volumes);
                volumes.name(volume);
              });
        });
  }

  @Override
  public void copy(VolumeId source, VolumeId target, boolean readOnly) {
    gate.pass(
        "copy " + source + " to " + target,
        () -> {
          ThinVolume volume = catalog.look().get(source);
          if (!volume.readOnly() && volume.format().filter(VolumeFormat::needsSync).isPresent()) {
            mounts.sync(() -> catalog.get(source), volumes);
          }
          ThinVolume from = catalog.get(source);
          ThinVolume to = from.copy(target, readOnly);
          making.publish(
              to,
              () -> {
                List<String> tags = VolumeTags.of(to);
                active.alone(
                    from,
                    () ->
                        catalog.keeping(
                            from.name(), () -> space.copy(from.name(), to.name(), tags)));
                requireSame(from, catalog.find(source));
              });
        });
  }

  /** What was made smaller meanwhile is another one, and what came since is in that. */
  private static void requireSame(ThinVolume from, Optional<ThinVolume> now) {
    if (now.isPresent() && !now.get().name().equals(from.name())) {
      throw new StapesException(
          Kind.BUSY, from.subject(), "another one took its place while it was copied");
    }
  }

  @Override
  public void discard(VolumeId id) {
    gate.pass(
        "discard " + id,
        () -> {
          Optional<ThinVolume> volume = catalog.look().find(id);
          if (volume.isPresent()) {
            active.alone(volume.get(), () -> discard(volume.get()));
          }
        });
  }

  private void discard(ThinVolume volume) {
    mounts.forget(volume);
    throwAway(volume);
    forgetAgain(volume);
  }

  /** It is discarded by now. */
  private void forgetAgain(ThinVolume volume) {
    try {
      mounts.forgetAgain(volume);
    } catch (RuntimeException e) {
      LOG.warn("{}: what was {} stays mounted", pool.subject(), volume.id(), e);
    }
  }

  private void throwAway(ThinVolume volume) {
    try {
      volumes.throwAway(volume);
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
              volumes.content().volumes().stream()
                  .anyMatch(other -> other.name().equals(volume.name()));
          if (!known) {
            there.clear();
          }
        });
    return !there.isEmpty();
  }

  /** In parts: who wants to be alone in the pool waits for one command of it. */
  @Override
  public void reclaim() {
    Set<String> tried = new HashSet<>();
    int before;
    do {
      before = tried.size();
      gate.passInTurn("reclaim", () -> tried.addAll(removeSome(tried)));
    } while (tried.size() > before);
    gate.pass("let go of volumes", mounts::dropIdle);
    gate.pass("let go of devices", active::tidy);
    gate.pass("usage", space::measure);
  }

  private List<String> removeSome(Set<String> tried) {
    List<String> some =
        catalog.trash().stream().filter(name -> !tried.contains(name)).limit(AT_ONCE).toList();
    if (!some.isEmpty()) {
      remove(some);
    }
    return some;
  }

  private void remove(List<String> some) {
    Set<String> gone = new HashSet<>(some);
    try {
      volumes.remove(some);
    } catch (StapesException e) {
      gone.removeAll(volumes.content().trash());
      if (e.kind() != Kind.BUSY && e.kind() != Kind.NOT_FOUND) {
        forget(gone);
        throw e;
      }
      LOG.debug("{}: some volumes are removed later", pool.subject(), e);
    }
    forget(gone);
  }

  private void forget(Set<String> gone) {
    catalog.reclaimed(gone);
    active.gone(gone);
  }

  @Override
  public boolean exists(VolumeId id) {
    return gate.pass("look for " + id, () -> catalog.look().find(id).isPresent());
  }

  @Override
  public Set<VolumeId> list(VolumeId.Kind kind) {
    return gate.pass("list", () -> catalog.look().list(kind));
  }

  @Override
  public Tree tree(VolumeId id, Tree.Resolution resolution) {
    return gate.pass(
        "open " + id,
        () -> {
          catalog.look().get(id).files();
          if (volumes.isShared()) {
            VolumeMounts.Use use = mounts.use(() -> catalog.get(id), volumes);
            return HeldTree.open(() -> open(use, resolution), () -> mounts.release(use));
          }
          return mounts.with(() -> catalog.get(id), volumes, use -> open(use, resolution));
        });
  }

  private Tree open(VolumeMounts.Use use, Tree.Resolution resolution) {
    return pool.host().tree(pool.local(use.files()), resolution);
  }

  @Override
  public Attachment attach(VolumeId id, Optional<IdMapping> mapping, boolean readOnly) {
    return gate.pass(
        "attach " + id,
        () -> {
          catalog.look().get(id).files();
          VolumeMounts.Use use = mounts.use(() -> catalog.get(id), volumes);
          if (!readOnly) {
            return use.volume().attached(use.files(), () -> mounts.release(use));
          }
          try {
            Path view = mounts.view(use.files());
            return use.volume()
                .attached(
                    view,
                    () -> {
                      try {
                        mounts.drop(view);
                      } finally {
                        mounts.release(use);
                      }
                    });
          } catch (RuntimeException e) {
            Undo.after(e, () -> mounts.release(use));
            throw e;
          }
        });
  }

  /** Makes the device of a volume ready to be mounted. */
  private void appear(ThinVolume volume) {
    active.use(volume);
    try {
      renew(volume, volumes.device(volume.name()));
    } catch (RuntimeException e) {
      Undo.after(e, () -> active.release(volume.name()));
      throw e;
    }
  }

  private void renew(ThinVolume volume, Path device) {
    Optional<Command> renewal =
        volume.copied() ? volume.files().renewUuid(device) : Optional.empty();
    if (renewal.isPresent()) {
      run(renewal.get(), "cannot give the copy a UUID of its own");
      volumes.untag(volume, VolumeTags.COPIED);
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
    return Optional.of(new LvmQuotas(pool, volumes, catalog, mounts, space, gate, active));
  }

  @Override
  public Optional<SendReceive> sendReceive() {
    return volumes.isShared() ? Optional.empty() : Optional.of(streams);
  }

  @Override
  public Optional<BlockVolumes> blockVolumes() {
    return Optional.of(blocks);
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
                          resize.growTo(volumes, space, size);
                          Space.Usage unused = space.measure();
                        }));
  }

  @Override
  public void destroy() {
    gate.closeAfter(
        "destroy",
        () -> {
          letGo(mounts::unmountAll);
          active.letAllGo();
          backing.remove(volumes);
          forgetMark.run();
        });
  }

  @Override
  public void close() {
    gate.close(
        "close",
        () -> {
          try {
            letGo(mounts::close);
          } finally {
            active.close();
          }
        });
  }

  private void letGo(Runnable unmount) {
    streams.close();
    try {
      unmount.run();
    } finally {
      blocks.close();
    }
  }
}
