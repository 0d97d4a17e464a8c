package dev.stapes.internal.engine;

import dev.stapes.internal.operation.Locks;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.model.VolumeCopySpec;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.VolumeId;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Copies custom volumes, and moves them, within a pool and between pools. */
public final class VolumeCopyService {
  private final Catalog catalog;
  private final Work work;
  private final PoolService pools;
  private final VolumeUsers users;
  private final VolumeService volumes;
  private final Trash trash;
  private final VolumeContents contents;
  private final InstantSource clock;

  VolumeCopyService(
      Catalog catalog,
      Work work,
      PoolService pools,
      VolumeUsers users,
      VolumeService volumes,
      Trash trash,
      VolumeContents contents,
      InstantSource clock) {
    this.catalog = catalog;
    this.work = work;
    this.pools = pools;
    this.users = users;
    this.volumes = volumes;
    this.trash = trash;
    this.contents = contents;
    this.clock = clock;
  }

  /**
   * What becomes of a volume.
   *
   * @param source as it is
   * @param target as it will be
   * @param from snapshots of the source, oldest first
   * @param to what they will be, in the same order
   * @param still a copy of the source that nobody writes to, which goes afterwards
   * @param passing volumes of the target's pool that are needed for a moment
   */
  private record Plan(
      VolumeRecord source,
      VolumeRecord target,
      List<VolumeSnapshotRecord> from,
      List<VolumeSnapshotRecord> to,
      Optional<VolumeId> still,
      List<VolumeId> passing) {
    List<Intent.VolumeRef> made() {
      List<Intent.VolumeRef> all = new ArrayList<>(List.of(target.ref()));
      to.forEach(each -> all.add(Intent.VolumeRef.of(target.pool(), each.volumeId())));
      passing.forEach(each -> all.add(Intent.VolumeRef.of(target.pool(), each)));
      all.addAll(left());
      return all;
    }

    List<Intent.VolumeRef> left() {
      return still.stream().map(each -> Intent.VolumeRef.of(source.pool(), each)).toList();
    }
  }

  /** Copies a volume, and answers the id of the copy. */
  public String copy(String id, VolumeCopySpec spec, Progress progress) {
    return work.runLong(
        "storage-volume-copy",
        VolumeRecord.subject(spec.pool(), spec.name()),
        progress,
        step -> {
          Plan plan = begin(id, spec, step);
          transfer(plan, step);
          Catalog.Change change = catalog.change(false).insert(plan.target());
          plan.to().forEach(change::insert);
          conclude(change, plan, plan.left(), step);
          work.happened("storage-volume-created", plan.target().subject(), Map.of());
          return plan.target().id();
        });
  }

  /** Moves a volume to another pool, with its snapshots; devices that name it follow. */
  public void move(String id, String pool, String name, Progress progress) {
    if (VolumeService.require(catalog, id).pool().equals(pool)) {
      volumes.rename(id, name);
      return;
    }
    work.runLong(
        "storage-volume-move",
        VolumeService.require(catalog, id).subject(),
        progress,
        step -> {
          Locks.Claim claim = volumes.claimOfMove(id, pool, name);
          step.keep(claim);
          VolumeRecord source = VolumeService.require(catalog, id);
          requireUnchanged(source, claim.covers(volumes.claimOfMove(id, pool, name)));
          volumes.requireMovable(source);
          VolumeService.requireFree(catalog, pool, name);
          Plan plan = plan(source, source.at(pool, name, Ids.volume()), true, false);
          prepare(plan, false, step);
          transfer(plan, step);
          Catalog.Change change = volumes.moved(source, plan.target());
          List<Intent.VolumeRef> left = new ArrayList<>(plan.left());
          left.add(source.ref());
          plan.from()
              .forEach(each -> left.add(Intent.VolumeRef.of(source.pool(), each.volumeId())));
          plan.to().forEach(change::put);
          conclude(change, plan, left, step);
          work.happened(
              "storage-volume-moved", plan.target().subject(), Map.of("from", source.subject()));
          return true;
        });
  }

  private static void requireUnchanged(VolumeRecord source, boolean same) {
    if (!same) {
      throw new StapesException(
          Kind.CONFLICT, source.subject(), "its users have changed meanwhile: try again");
    }
  }

  private void conclude(
      Catalog.Change change, Plan plan, List<Intent.VolumeRef> left, Work.Step step) {
    if (left.isEmpty()) {
      step.conclude(change);
      step.done();
    } else {
      String intent = step.concludeLeaving(change, left);
      step.done();
      trash.discard(intent, left);
    }
    if (!plan.passing().isEmpty()) {
      trash.reclaimBehind(plan.target().pool()); // volumes were discarded there on the way
    }
  }

  /** The locks of instances come before those of volumes, as everybody takes them. */
  private Plan begin(String id, VolumeCopySpec spec, Work.Step step) {
    Plan[] made = new Plan[1];
    step.part(
        () -> claimOfCopy(id),
        () -> {
          VolumeRecord source = VolumeService.require(catalog, id);
          step.keep(
              Locks.Claim.alone(Work.lockOfVolume(spec.pool(), spec.name()))
                  .sharing(source.lock())
                  .sharing(Work.lockOfPool(source.pool()))
                  .sharing(Work.lockOfPool(spec.pool())));
          VolumeService.requireFree(catalog, spec.pool(), spec.name());
          VolumeRecord target =
              new VolumeRecord(
                  Ids.volume(),
                  spec.pool(),
                  spec.name(),
                  source.description(),
                  Ids.volume(),
                  source.config(),
                  clock.instant().toString(),
                  source.content());
          boolean inUse = !users.of(source).isEmpty();
          made[0] = plan(source, target, spec.withSnapshots(), inUse);
          prepare(made[0], true, step);
        });
    return made[0];
  }

  private Locks.Claim claimOfCopy(String id) {
    VolumeRecord source = VolumeService.require(catalog, id);
    return users.claimOfCopy(source, pools.pool(source.pool()));
  }

  /**
   * Says what is to be made.
   *
   * @param inUse whether somebody may write to the source before all of it has been brought away
   */
  private Plan plan(
      VolumeRecord source, VolumeRecord target, boolean withSnapshots, boolean inUse) {
    StoragePool from = pools.pool(source.pool());
    StoragePool to = pools.pool(target.pool());
    VolumeContents.requirePossible(to, target); // now, and not when all of it has been copied
    List<VolumeSnapshotRecord> snapshots = withSnapshots ? catalog.snapshots(source) : List.of();
    boolean elsewhere = from != to;
    boolean streams = elsewhere && VolumeTransfer.streams(from, to);
    boolean still = elsewhere && (streams || Machines.copiesAtRestAtOnce(from) || inUse);
    List<VolumeId> passing = new ArrayList<>();
    if (elsewhere) {
      VolumeId.Kind kind = streams ? VolumeId.Kind.SNAPSHOT : VolumeId.Kind.CUSTOM;
      passing.add(new VolumeId(kind, Ids.volume()));
      snapshots.forEach(each -> passing.add(new VolumeId(kind, Ids.volume())));
    }
    return new Plan(
        source,
        target,
        snapshots,
        snapshots.stream().map(each -> each.at(target.id(), Ids.volume())).toList(),
        still ? Optional.of(new VolumeId(VolumeId.Kind.SNAPSHOT, Ids.volume())) : Optional.empty(),
        passing);
  }

  /**
   * Writes down what will be made, and takes the volume as it is now.
   *
   * @param maybeUsed whether somebody may write to the source
   */
  private void prepare(Plan plan, boolean maybeUsed, Work.Step step) {
    StoragePool from = pools.pool(plan.source().pool());
    step.intend(false, plan.made());
    for (Intent.VolumeRef made : plan.made()) {
      StoragePool in = pools.pool(made.pool());
      step.undo("volume " + made.volumeId(), () -> Trash.takeBack(in, made.volumeId()));
    }
    VolumeId source = plan.source().volumeId();
    if (plan.still().isPresent()) {
      Runnable copy = () -> from.copy(source, plan.still().get(), true);
      if (maybeUsed) {
        users.duringCopy(plan.source(), from, copy);
      } else {
        copy.run();
      }
    } else if (maybeUsed
        && plan.passing().isEmpty() // within a pool
        && !users.of(plan.source()).isEmpty()) {
      users.duringCopy(plan.source(), from, () -> copyCurrent(plan, source, step));
    }
  }

  private void transfer(Plan plan, Work.Step step) {
    StoragePool from = pools.pool(plan.source().pool());
    StoragePool to = pools.pool(plan.target().pool());
    VolumeTransfer transfer =
        new VolumeTransfer(contents, plan.target(), from, to, step.progress());
    Optional<VolumeId> base = Optional.empty();
    for (int i = 0; i < plan.from().size(); i++) {
      Work.checkInterrupt(plan.target().subject());
      VolumeId snapshot = plan.from().get(i).volumeId();
      transfer.snapshot(snapshot, base, plan.to().get(i).volumeId(), passing(plan, i + 1));
      base = Optional.of(snapshot);
    }
    Work.checkInterrupt(plan.target().subject());
    if (!to.exists(plan.target().volumeId())) {
      VolumeId current = plan.still().orElse(plan.source().volumeId());
      transfer.volume(current, base, plan.target().volumeId(), passing(plan, 0));
    }
    contents.fit(to, plan.target());
    Work.checkInterrupt(plan.target().subject());
  }

  private void copyCurrent(Plan plan, VolumeId source, Work.Step step) {
    StoragePool pool = pools.pool(plan.source().pool());
    new VolumeTransfer(contents, plan.target(), pool, pool, step.progress())
        .volume(source, Optional.empty(), plan.target().volumeId(), passing(plan, 0));
  }

  /** Within a pool none is needed. */
  private static VolumeId passing(Plan plan, int number) {
    return plan.passing().isEmpty() ? plan.target().volumeId() : plan.passing().get(number);
  }
}
