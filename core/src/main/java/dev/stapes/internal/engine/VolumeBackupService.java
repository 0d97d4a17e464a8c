package dev.stapes.internal.engine;

import dev.stapes.internal.image.TreeArchive;
import dev.stapes.internal.operation.Locks;
import dev.stapes.model.Config;
import dev.stapes.model.Names;
import dev.stapes.model.Progress;
import dev.stapes.model.VolumeKeys;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import java.io.OutputStream;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Backups of custom volumes. */
public final class VolumeBackupService {
  private final Catalog catalog;
  private final Work work;
  private final PoolService pools;
  private final VolumeUsers users;
  private final Trash trash;
  private final VolumeContents contents;

  VolumeBackupService(
      Catalog catalog,
      Work work,
      PoolService pools,
      VolumeUsers users,
      Trash trash,
      VolumeContents contents) {
    this.catalog = catalog;
    this.work = work;
    this.pools = pools;
    this.users = users;
    this.trash = trash;
    this.contents = contents;
  }

  /** Writes a volume with its snapshots, as of one moment. */
  public void write(String id, OutputStream out, Progress progress) {
    work.runLong(
        "storage-volume-backup",
        VolumeService.require(catalog, id).subject(),
        progress,
        step -> {
          Taken taken = take(id, step);
          VolumeRecord volume = taken.volume();
          StoragePool pool = pools.pool(volume.pool());
          VolumeId current = taken.still().orElse(volume.volumeId());
          VolumeBackup about = VolumeBackup.of(sized(pool, volume, current), taken.snapshots());
          List<TreeArchive.Part> parts = new ArrayList<>();
          for (VolumeSnapshotRecord snapshot : taken.snapshots()) {
            parts.add(part(VolumeBackup.part(parts.size()), pool, snapshot.volumeId()));
          }
          parts.add(part(VolumeBackup.CURRENT, pool, current));
          Instant time = Instant.parse(volume.createdAt());
          TreeArchive.write(out, about.toBytes(), time, parts, step.progress());
          step.done();
          discard(volume, taken.still(), step);
          return true;
        });
  }

  /** A pool may have rounded the size of a disk. */
  private VolumeRecord sized(StoragePool pool, VolumeRecord volume, VolumeId current) {
    if (!volume.isDisk()) {
      return volume;
    }
    String size = contents.size(pool, volume, current).toString();
    return volume.with(
        volume.description(), volume.typedConfig().with(VolumeKeys.SIZE.name(), size));
  }

  private TreeArchive.Part part(String name, StoragePool pool, VolumeId volume) {
    return new TreeArchive.Part(name, () -> contents.tree(pool, volume));
  }

  private void discard(VolumeRecord volume, Optional<VolumeId> still, Work.Step step) {
    if (still.isPresent()) {
      List<Intent.VolumeRef> left = List.of(Intent.VolumeRef.of(volume.pool(), still.get()));
      trash.discard(step.intent().orElseThrow(), left);
    }
  }

  /** A volume that is held: nobody changes its snapshots, or the copy of it where there is one. */
  private record Taken(
      VolumeRecord volume, List<VolumeSnapshotRecord> snapshots, Optional<VolumeId> still) {}

  private Taken take(String id, Work.Step step) {
    Taken[] taken = new Taken[1];
    step.part(
        () -> claimOfCopy(id),
        () -> {
          VolumeRecord volume = VolumeService.require(catalog, id);
          Set<String> shared = Set.of(volume.lock(), Work.lockOfPool(volume.pool()));
          step.keep(new Locks.Claim(Set.of(), shared));
          StoragePool pool = pools.pool(volume.pool());
          Optional<VolumeId> still = Optional.empty();
          if (Machines.copiesAtRestAtOnce(pool) || !users.of(volume).isEmpty()) {
            VolumeId copy = new VolumeId(VolumeId.Kind.SNAPSHOT, Ids.volume());
            step.intend(false, List.of(Intent.VolumeRef.of(volume.pool(), copy)));
            step.undo("volume " + copy, () -> Trash.takeBack(pool, copy));
            users.duringCopy(volume, pool, () -> pool.copy(volume.volumeId(), copy, true));
            still = Optional.of(copy);
          }
          taken[0] = new Taken(volume, catalog.snapshots(volume), still);
        });
    return taken[0];
  }

  private Locks.Claim claimOfCopy(String id) {
    VolumeRecord volume = VolumeService.require(catalog, id);
    return users.claimOfCopy(volume, pools.pool(volume.pool()));
  }

  /**
   * Makes a volume of a backup, and answers its id.
   *
   * @param name empty: the one that it had
   */
  public String read(String pool, Path file, Optional<String> name, Progress progress) {
    name.ifPresent(Names::volume);
    return work.runLong(
        "storage-volume-import",
        "volume " + pool + name.map(asked -> "/" + asked).orElse(" of " + file),
        progress,
        step -> {
          pools.pool(pool); // one that does not exist is known before all of the file is read
          TreeArchive archive = TreeArchive.open(file, step.progress());
          VolumeBackup about = VolumeBackup.read(archive.about());
          String wanted = name.orElse(about.name());
          step.keep(
              Locks.Claim.alone(Work.lockOfVolume(pool, wanted)).sharing(Work.lockOfPool(pool)));
          VolumeService.requireFree(catalog, pool, wanted);
          Arrival arrival = new Arrival(pool, wanted, about);
          arrival.begin(step);
          archive.unpack(new HashSet<>(about.parts()), arrival, step.progress());
          Work.checkInterrupt(arrival.volume.subject());
          Catalog.Change change = catalog.change(false).insert(arrival.volume);
          arrival.snapshots.forEach(change::insert);
          step.conclude(change);
          step.done();
          if (!arrival.passing.isEmpty()) {
            trash.reclaimBehind(pool); // they were discarded on the way
          }
          work.happened("storage-volume-created", arrival.volume.subject(), Map.of());
          return arrival.volume.id();
        });
  }

  /** A volume that comes out of a backup. A snapshot is read-only when it is whole only. */
  private final class Arrival implements TreeArchive.Receiver {
    private final VolumeRecord volume;
    private final List<VolumeSnapshotRecord> snapshots = new ArrayList<>();
    private final List<VolumeId> passing = new ArrayList<>();
    private final StoragePool pool;
    private @Nullable Tree filled;

    Arrival(String poolName, String name, VolumeBackup about) {
      pool = pools.pool(poolName);
      volume =
          new VolumeRecord(
              Ids.volume(),
              poolName,
              name,
              about.description(),
              Ids.volume(),
              Config.empty().with(about.config()).values(),
              about.createdAt(),
              VolumeRecord.textOf(about.contentType()));
      for (VolumeBackup.Snapshot each : about.snapshots()) {
        snapshots.add(
            new VolumeSnapshotRecord(
                volume.id(),
                each.name(),
                each.description(),
                Ids.volume(),
                each.createdAt(),
                each.expiresAt()));
        passing.add(new VolumeId(VolumeId.Kind.CUSTOM, Ids.volume()));
      }
    }

    void begin(Work.Step step) {
      List<VolumeId> all = new ArrayList<>(passing);
      snapshots.forEach(each -> all.add(each.volumeId()));
      all.add(volume.volumeId());
      step.intend(
          false, all.stream().map(each -> Intent.VolumeRef.of(volume.pool(), each)).toList());
      all.forEach(each -> step.undo("volume " + each, () -> Trash.takeBack(pool, each)));
    }

    private int number(String part) {
      return Integer.parseInt(part.substring(part.indexOf('/') + 1));
    }

    @Override
    public Tree open(String part) {
      boolean current = part.equals(VolumeBackup.CURRENT);
      VolumeId made = current ? volume.volumeId() : passing.get(number(part));
      contents.createWithoutDisk(pool, made, volume);
      if (current && !volume.isDisk()) {
        pools.limit(pool, made, volume.size());
      }
      Tree tree = contents.tree(pool, made);
      filled = tree;
      return tree;
    }

    @Override
    public void finished(String part) {
      boolean current = part.equals(VolumeBackup.CURRENT);
      if (volume.isDisk()) {
        VolumeId made = current ? volume.volumeId() : passing.get(number(part));
        contents.requireDisk(pool, made, Objects.requireNonNull(filled), volume);
      }
      if (current && volume.isDisk()) {
        contents.fit(pool, volume);
      } else if (!current) {
        VolumeId whole = passing.get(number(part));
        pool.copy(whole, snapshots.get(number(part)).volumeId(), true);
        pool.discard(whole);
      }
    }
  }
}
