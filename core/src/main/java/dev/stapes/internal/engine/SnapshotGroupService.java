package dev.stapes.internal.engine;

import dev.stapes.internal.image.PairedPool;
import dev.stapes.internal.operation.Locks;
import dev.stapes.model.Progress;
import dev.stapes.model.SnapshotGroup;
import dev.stapes.model.SnapshotGroupInfo;
import dev.stapes.model.SnapshotInfo;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.model.VolumeSnapshotInfo;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.StoragePool.GroupCopies;
import dev.stapes.spi.VolumeId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Makes snapshots of several instances and custom volumes as of one moment, all or none. */
public final class SnapshotGroupService {
  private final Catalog catalog;
  private final Work work;
  private final PoolService pools;
  private final Machines machines;
  private final VolumeUsers users;
  private final SnapshotService ofInstances;
  private final VolumeSnapshotService ofVolumes;

  SnapshotGroupService(
      Catalog catalog,
      Work work,
      PoolService pools,
      Machines machines,
      VolumeUsers users,
      SnapshotService ofInstances,
      VolumeSnapshotService ofVolumes) {
    this.catalog = catalog;
    this.work = work;
    this.pools = pools;
    this.machines = machines;
    this.users = users;
    this.ofInstances = ofInstances;
    this.ofVolumes = ofVolumes;
  }

  /** Who is in it, as the records say. */
  private record Members(List<InstanceRecord> instances, List<VolumeRecord> volumes) {
    boolean isOne() {
      return instances.size() + volumes.size() == 1;
    }
  }

  /** A copy that is to be made. */
  private record Copy(String pool, VolumeId source, VolumeId target) {
    Intent.VolumeRef ref() {
      return Intent.VolumeRef.of(pool, target);
    }

    boolean isAtOnce(StoragePool in) {
      return PairedPool.copiesAtOnce(in, source, true);
    }
  }

  /** Makes them. */
  public SnapshotGroupInfo create(SnapshotGroup group) {
    String subject = "snapshot group " + group.name();
    if (group.instances().isEmpty() && group.volumes().isEmpty()) {
      throw StapesException.invalid(subject, "has no members");
    }
    return work.run(
        "snapshot-group-create",
        subject,
        () -> claim(members(group)),
        Progress.NONE,
        step -> make(group, members(group), step));
  }

  private SnapshotGroupInfo make(SnapshotGroup group, Members members, Work.Step step) {
    Catalog.Change change = catalog.change(false);
    List<Copy> copies = new ArrayList<>();
    List<SnapshotInfo> instances = new ArrayList<>();
    List<VolumeSnapshotInfo> volumes = new ArrayList<>();
    for (InstanceRecord instance : members.instances()) {
      SnapshotRecord draft = ofInstances.draft(instance, group.spec());
      copies.add(new Copy(instance.pool(), instance.volumeId(), draft.volumeId()));
      change.insert(draft);
      instances.add(draft.toInfo());
    }
    for (VolumeRecord volume : members.volumes()) {
      VolumeSnapshotRecord draft = ofVolumes.draft(volume, group.spec());
      copies.add(new Copy(volume.pool(), volume.volumeId(), draft.volumeId()));
      change.insert(draft);
      volumes.add(draft.toInfo(volume));
    }
    copy(members, copies, step);
    step.conclude(change);
    members
        .instances()
        .forEach(
            each ->
                work.happened(
                    "instance-snapshot-created",
                    "snapshot " + each.name() + "/" + group.name(),
                    Map.of()));
    members
        .volumes()
        .forEach(
            each ->
                work.happened(
                    "storage-volume-snapshot-created",
                    VolumeSnapshotService.subject(each, group.name()),
                    Map.of()));
    return new SnapshotGroupInfo(instances, volumes);
  }

  /** Whoever could write to one of them between two copies stands still, for the copies only. */
  private void copy(Members members, List<Copy> copies, Work.Step step) {
    step.intend(false, copies.stream().map(Copy::ref).toList());
    for (Copy copy : copies) {
      StoragePool pool = pools.pool(copy.pool());
      step.undo("volume " + copy.target(), () -> Trash.takeBack(pool, copy.target()));
    }
    Optional<GroupCopies> together = together(copies);
    boolean atOnce =
        together.isPresent()
            || (members.isOne() && copies.get(0).isAtOnce(pools.pool(copies.get(0).pool())));
    machines.asOfOneMoment(writers(members), !atOnce, () -> copy(copies, together));
  }

  /** What copies them in one step: nobody has to stand still for that. */
  private Optional<GroupCopies> together(List<Copy> copies) {
    long members =
        copies.stream().map(copy -> copy.pool() + "/" + copy.source()).distinct().count();
    boolean onePool = copies.stream().map(Copy::pool).distinct().count() == 1;
    return onePool && members == copies.size()
        ? pools.pool(copies.get(0).pool()).groupCopies()
        : Optional.empty();
  }

  private void copy(List<Copy> copies, Optional<GroupCopies> together) {
    if (together.isPresent()) {
      together.get().copy(copies.stream().collect(Collectors.toMap(Copy::source, Copy::target)));
    } else {
      copies.forEach(copy -> pools.pool(copy.pool()).copy(copy.source(), copy.target(), true));
    }
  }

  private Members members(SnapshotGroup group) {
    List<InstanceRecord> instances =
        group.instances().stream().map(id -> catalog.require(id).value()).toList();
    for (InstanceRecord instance : instances) {
      if (instance.isThrowaway()) {
        throw new StapesException(
            Kind.UNSUPPORTED,
            instance.subject(),
            "is a throwaway one: its snapshots cannot be made together with others");
      }
    }
    List<VolumeRecord> volumes =
        group.volumes().stream()
            .map(
                each ->
                    catalog
                        .volume(each.pool(), each.volume())
                        .orElseThrow(
                            () ->
                                StapesException.notFound(
                                    VolumeRecord.subject(each.pool(), each.volume()))))
            .toList();
    return new Members(instances, volumes);
  }

  /** Those that run and write to one of the members. */
  private List<InstanceRecord> writers(Members members) {
    Map<String, InstanceRecord> all = new LinkedHashMap<>();
    members.instances().forEach(each -> all.put(each.id(), each));
    for (VolumeRecord volume : members.volumes()) {
      users.running(volume).stream()
          .filter(each -> VolumeUsers.mayWrite(each, volume))
          .forEach(each -> all.put(each.id(), each));
    }
    return List.copyOf(all.values());
  }

  private Locks.Claim claim(Members members) {
    Locks.Claim claim = new Locks.Claim(Set.of(), Set.of());
    for (InstanceRecord instance : members.instances()) {
      claim = claim.sharing(Work.lockOfPool(instance.pool()));
    }
    for (VolumeRecord volume : members.volumes()) {
      claim =
          claim
              .with(volume.lock())
              .sharing(Work.lockOfPool(volume.pool()))
              .sharing(VolumeUsers.locks(users.of(volume))); // none starts between two copies
    }
    for (String lock : VolumeUsers.locks(writers(members))) {
      claim = claim.with(lock);
    }
    return claim;
  }
}
