package dev.stapes.internal.engine;

import dev.stapes.internal.operation.Locks;
import dev.stapes.model.Names;
import dev.stapes.model.Progress;
import dev.stapes.model.SnapshotSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.model.VolumeKeys;
import dev.stapes.model.VolumeSnapshotInfo;
import dev.stapes.spi.StoragePool;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;

/** Snapshots of custom volumes. */
public final class VolumeSnapshotService {
  private final Catalog catalog;
  private final Work work;
  private final PoolService pools;
  private final VolumeUsers users;
  private final Trash trash;
  private final VolumeContents contents;
  private final InstantSource clock;

  VolumeSnapshotService(
      Catalog catalog,
      Work work,
      PoolService pools,
      VolumeUsers users,
      Trash trash,
      VolumeContents contents,
      InstantSource clock) {
    this.catalog = catalog;
    this.work = work;
    this.pools = pools;
    this.users = users;
    this.trash = trash;
    this.contents = contents;
    this.clock = clock;
  }

  /** Makes a snapshot that is called as the volume's pattern says. */
  public VolumeSnapshotInfo create(String id) {
    return create(id, change -> {});
  }

  /**
   * Makes a snapshot that is called as the volume's pattern says.
   *
   * @param also adds to what is written down when it is there
   */
  VolumeSnapshotInfo create(String id, Consumer<Catalog.Change> also) {
    return create(id, "next snapshot of ", owner -> SnapshotSpec.of(nextName(owner)), also);
  }

  /** Makes a snapshot. */
  public VolumeSnapshotInfo create(String id, SnapshotSpec spec) {
    if (spec.stateful()) {
      throw StapesException.invalid("snapshot " + spec.name(), "a volume has no memory");
    }
    return create(id, "snapshot " + spec.name() + " of ", owner -> spec, change -> {});
  }

  private VolumeSnapshotInfo create(
      String id,
      String what,
      Function<VolumeRecord, SnapshotSpec> wanted,
      Consumer<Catalog.Change> also) {
    return work.run(
        "storage-volume-snapshot-create",
        what + owner(id).subject(),
        () -> claimOfCopy(owner(id)),
        Progress.NONE,
        step -> {
          VolumeRecord owner = owner(id);
          VolumeSnapshotRecord made = draft(owner, wanted.apply(owner));
          StoragePool pool = pools.pool(owner.pool());
          step.intend(false, List.of(Intent.VolumeRef.of(owner.pool(), made.volumeId())));
          step.undo("volume " + made.volumeId(), () -> Trash.takeBack(pool, made.volumeId()));
          users.duringCopy(owner, pool, () -> pool.copy(owner.volumeId(), made.volumeId(), true));
          Catalog.Change change = catalog.change(false).insert(made);
          also.accept(change);
          step.conclude(change);
          work.happened("storage-volume-snapshot-created", subject(owner, made.name()), Map.of());
          return made.toInfo(owner);
        });
  }

  /** A volume alone, and those that could write to it while it is copied. */
  private Locks.Claim claimOfCopy(VolumeRecord owner) {
    return users
        .claimOfCopy(owner, pools.pool(owner.pool()))
        .with(owner.lock())
        .sharing(Work.lockOfPool(owner.pool()));
  }

  /** The record of a snapshot that is to be made. */
  VolumeSnapshotRecord draft(VolumeRecord owner, SnapshotSpec spec) {
    if (catalog.snapshot(owner, spec.name()).isPresent()) {
      throw new StapesException(Kind.CONFLICT, subject(owner, spec.name()), "exists already");
    }
    Instant now = clock.instant();
    Optional<Instant> expiresAt =
        spec.expiresAt()
            .or(
                () ->
                    owner
                        .typedConfig()
                        .get(VolumeKeys.SNAPSHOTS_EXPIRY)
                        .map(expiry -> VolumeKeys.expiryOf(now, expiry)));
    return new VolumeSnapshotRecord(
        owner.id(),
        spec.name(),
        spec.description(),
        Ids.volume(),
        now.toString(),
        expiresAt.map(Instant::toString).orElse(null));
  }

  /** One more than the highest number that the pattern has given. */
  private String nextName(VolumeRecord owner) {
    String pattern = owner.typedConfig().get(VolumeKeys.SNAPSHOTS_PATTERN).orElseThrow();
    return SnapshotNames.next(
        pattern, catalog.snapshots(owner).stream().map(VolumeSnapshotRecord::name));
  }

  /** All snapshots of a volume, oldest first. */
  public List<VolumeSnapshotInfo> list(String id) {
    VolumeRecord owner = owner(id);
    return catalog.snapshots(owner).stream().map(each -> each.toInfo(owner)).toList();
  }

  /** One snapshot. */
  public VolumeSnapshotInfo get(String id, String name) {
    VolumeRecord owner = owner(id);
    return require(owner, name).toInfo(owner);
  }

  /**
   * Puts a volume back. What it holds then is a new volume of the pool: which one is a matter of
   * one record. Who runs with the old one would go on with it, and is not to.
   */
  public void restore(String id, String name) {
    work.run(
        "storage-volume-restore",
        subject(owner(id), name),
        () -> claimOfRestore(owner(id)),
        Progress.NONE,
        step -> {
          VolumeRecord before = owner(id);
          VolumeSnapshotRecord snapshot = require(before, name);
          VolumeUsers.requireNone(before.subject(), users.running(before));
          StoragePool pool = pools.pool(before.pool());
          VolumeRecord after = before.withVolume(Ids.volume());
          step.intend(false, List.of(after.ref()));
          step.undo("volume " + after.volumeId(), () -> Trash.takeBack(pool, after.volumeId()));
          pool.copy(snapshot.volumeId(), after.volumeId(), false);
          contents.fit(pool, after);
          List<Intent.VolumeRef> old = List.of(before.ref());
          String left = step.concludeLeaving(catalog.change(false).put(after), old);
          step.done();
          trash.discard(left, old);
          work.happened("storage-volume-restored", before.subject(), Map.of("snapshot", name));
          return true;
        });
  }

  /** Nobody who has the volume starts meanwhile. */
  private Locks.Claim claimOfRestore(VolumeRecord owner) {
    return Locks.Claim.alone(owner.lock())
        .sharing(Work.lockOfPool(owner.pool()))
        .sharing(VolumeUsers.locks(users.of(owner)));
  }

  /** Gives a snapshot another name. */
  public void rename(String id, String name, String newName) {
    Names.snapshot(newName);
    work.run(
        "storage-volume-snapshot-rename",
        subject(owner(id), name),
        () -> Locks.Claim.alone(owner(id).lock()),
        Progress.NONE,
        step -> {
          VolumeRecord owner = owner(id);
          VolumeSnapshotRecord snapshot = require(owner, name);
          if (catalog.snapshot(owner, newName).isPresent()) {
            throw new StapesException(Kind.CONFLICT, subject(owner, newName), "exists already");
          }
          step.conclude(catalog.change(false).remove(snapshot).insert(snapshot.withName(newName)));
          work.happened(
              "storage-volume-snapshot-renamed", subject(owner, newName), Map.of("old_name", name));
          return true;
        });
  }

  /** Says when a snapshot may be deleted. */
  public VolumeSnapshotInfo expire(String id, String name, Optional<Instant> at) {
    return work.run(
        "storage-volume-snapshot-update",
        subject(owner(id), name),
        () -> Locks.Claim.alone(owner(id).lock()),
        Progress.NONE,
        step -> {
          VolumeRecord owner = owner(id);
          VolumeSnapshotRecord after = require(owner, name).expiring(at);
          step.conclude(catalog.change(false).put(after));
          return after.toInfo(owner);
        });
  }

  /** Deletes a snapshot. */
  public void delete(String id, String name) {
    work.run(
        "storage-volume-snapshot-delete",
        subject(owner(id), name),
        () -> Locks.Claim.alone(owner(id).lock()),
        Progress.NONE,
        step -> {
          VolumeRecord owner = owner(id);
          delete(owner, List.of(require(owner, name)), step);
          return true;
        });
  }

  /** Deletes the snapshots whose time has come, and answers their names. */
  public List<String> deleteExpired(String id) {
    Instant now = clock.instant();
    return work.run(
        "storage-volume-snapshot-expire",
        owner(id).subject(),
        () -> Locks.Claim.alone(owner(id).lock()),
        Progress.NONE,
        step -> {
          VolumeRecord owner = owner(id);
          List<VolumeSnapshotRecord> expired =
              catalog.snapshots(owner).stream().filter(each -> each.isExpired(now)).toList();
          delete(owner, expired, step);
          return expired.stream().map(VolumeSnapshotRecord::name).toList();
        });
  }

  private void delete(VolumeRecord owner, List<VolumeSnapshotRecord> gone, Work.Step step) {
    if (gone.isEmpty()) {
      return;
    }
    Catalog.Change change = catalog.change(false);
    gone.forEach(change::remove);
    List<Intent.VolumeRef> left =
        gone.stream().map(each -> Intent.VolumeRef.of(owner.pool(), each.volumeId())).toList();
    trash.discard(step.concludeLeaving(change, left), left);
    gone.forEach(
        each ->
            work.happened(
                "storage-volume-snapshot-deleted", subject(owner, each.name()), Map.of()));
  }

  private VolumeSnapshotRecord require(VolumeRecord owner, String name) {
    return catalog
        .snapshot(owner, name)
        .orElseThrow(() -> StapesException.notFound(subject(owner, name)));
  }

  static String subject(VolumeRecord owner, String name) {
    return "snapshot " + owner.pool() + "/" + owner.name() + "/" + name;
  }

  private VolumeRecord owner(String id) {
    return VolumeService.require(catalog, id);
  }
}
