package dev.stapes.internal.engine;

import dev.stapes.internal.image.VolumeDisk;
import dev.stapes.internal.operation.Locks;
import dev.stapes.model.Config;
import dev.stapes.model.Device;
import dev.stapes.model.Names;
import dev.stapes.model.Progress;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.model.VolumeContent;
import dev.stapes.model.VolumeCopySpec;
import dev.stapes.model.VolumeInfo;
import dev.stapes.model.VolumeKeys;
import dev.stapes.model.VolumeSpec;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.VolumeId;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** The custom volumes of pools. */
public final class VolumeService {
  private final PoolService pools;
  private final Catalog catalog;
  private final Work work;
  private final Trash trash;
  private final VolumeUsers users;
  private final VolumeContents contents;
  private final InstantSource clock;

  VolumeService(
      PoolService pools,
      Catalog catalog,
      Work work,
      Trash trash,
      VolumeUsers users,
      VolumeContents contents,
      InstantSource clock) {
    this.pools = pools;
    this.catalog = catalog;
    this.work = work;
    this.trash = trash;
    this.users = users;
    this.contents = contents;
    this.clock = clock;
  }

  /** Makes an empty custom volume, and answers its id. */
  public String create(String pool, VolumeSpec spec) {
    String subject = VolumeRecord.subject(pool, spec.name());
    if (spec.content() == VolumeContent.ISO) {
      throw StapesException.invalid(subject, "an ISO volume is made of an image: import it");
    }
    Locks.Claim claim =
        Locks.Claim.alone(Work.lockOfVolume(pool, spec.name())).sharing(Work.lockOfPool(pool));
    return work.run(
        "storage-volume-create",
        subject,
        () -> claim,
        Progress.NONE,
        step -> {
          StoragePool in = pools.pool(pool);
          requireFree(catalog, pool, spec.name());
          VolumeRecord draft =
              new VolumeRecord(
                  Ids.volume(),
                  pool,
                  spec.name(),
                  spec.description(),
                  Ids.volume(),
                  complete(spec).values(),
                  clock.instant().toString(),
                  VolumeRecord.textOf(spec.content()));
          step.intend(false, List.of(draft.ref()));
          step.undo("volume " + draft.volumeId(), () -> Trash.takeBack(in, draft.volumeId()));
          contents.create(in, draft);
          step.conclude(catalog.change(false).insert(draft));
          work.happened("storage-volume-created", subject, Map.of());
          return draft.id();
        });
  }

  private static Config complete(VolumeSpec spec) {
    Config config = Config.empty().with(spec.config().values());
    return spec.content() == VolumeContent.BLOCK && config.get(VolumeKeys.SIZE).isEmpty()
        ? config.with(VolumeKeys.SIZE.name(), VolumeDisk.USUAL.toString())
        : config;
  }

  static void requireFree(Catalog catalog, String pool, String name) {
    if (catalog.volume(pool, name).isPresent()) {
      throw new StapesException(Kind.CONFLICT, VolumeRecord.subject(pool, name), "exists already");
    }
  }

  /** The id of a volume. */
  public String find(String pool, String name) {
    pools.pool(pool);
    return catalog
        .volume(pool, name)
        .orElseThrow(() -> StapesException.notFound(VolumeRecord.subject(pool, name)))
        .id();
  }

  /** Changes config and description. */
  public VolumeInfo update(String id, Optional<String> description, Map<String, String> changes) {
    return work.run(
        "storage-volume-update",
        require(catalog, id).subject(),
        () -> claimOfUpdate(require(catalog, id)),
        Progress.NONE,
        step -> {
          VolumeRecord before = require(catalog, id);
          VolumeKeys.validate(before.subject(), before.contentType(), changes);
          VolumeRecord after =
              before.with(
                  description.orElse(before.description()), before.typedConfig().with(changes));
          boolean grew = before.isDisk() && change(before, after);
          if (!before.isDisk() && !after.size().equals(before.size())) {
            StoragePool.Quotas quotas = PoolService.quotas(pools.pool(before.pool()));
            step.undo(
                "size of " + before.subject(),
                () -> quotas.limit(before.volumeId(), before.size()));
            quotas.limit(before.volumeId(), after.size());
          }
          step.conclude(catalog.change(false).put(after));
          step.done();
          if (grew) {
            users.tellGrown(after);
          }
          work.happened("storage-volume-updated", before.subject(), Map.of());
          return toInfo(after);
        });
  }

  /**
   * Makes another size of a disk take effect, and says whether there is one. It stays as it grew.
   * How a disk is shared is said to a machine when it gets it: not while it has it.
   */
  private boolean change(VolumeRecord before, VolumeRecord after) {
    List<InstanceRecord> running = users.running(before);
    if (before.isShared() != after.isShared() && running.size() > (after.isShared() ? 0 : 1)) {
      VolumeUsers.requireNone(before.subject(), running);
    }
    if (after.size().equals(before.size())) {
      return false;
    }
    Size had = before.size().orElseThrow();
    Size wanted = after.size().orElseThrow();
    if (before.contentType() == VolumeContent.ISO) {
      throw StapesException.invalid(before.subject(), "an ISO volume stays as it was imported");
    }
    if (wanted.compareTo(had) < 0) {
      throw StapesException.invalid(
          before.subject(), "a disk of " + had + " cannot shrink to " + wanted);
    }
    contents.disk(pools.pool(before.pool()), before).growTo(wanted);
    return true;
  }

  /** Machines that run with a disk are told when it has grown. */
  private Locks.Claim claimOfUpdate(VolumeRecord volume) {
    Locks.Claim claim = Locks.Claim.alone(volume.lock());
    if (volume.isDisk()) {
      for (String lock : VolumeUsers.locks(users.of(volume))) {
        claim = claim.with(lock);
      }
    }
    return claim;
  }

  /** Gives a volume another name; devices of instances that do not run follow it. */
  public void rename(String id, String newName) {
    Names.volume(newName);
    work.run(
        "storage-volume-rename",
        require(catalog, id).subject(),
        () -> claimOfMove(id, require(catalog, id).pool(), newName),
        Progress.NONE,
        step -> {
          VolumeRecord before = require(catalog, id);
          requireFree(catalog, before.pool(), newName);
          VolumeRecord after = before.at(before.pool(), newName, before.volume());
          step.conclude(moved(before, after));
          work.happened(
              "storage-volume-renamed", after.subject(), Map.of("old_name", before.name()));
          return true;
        });
  }

  /** What must be held while a volume gets another place. */
  Locks.Claim claimOfMove(String id, String pool, String name) {
    VolumeRecord record = require(catalog, id);
    Locks.Claim claim =
        Locks.Claim.alone(record.lock())
            .with(Work.lockOfVolume(pool, name))
            .sharing(Work.lockOfPool(pool))
            .sharing(Work.lockOfPool(record.pool()));
    for (String lock : VolumeUsers.locks(users.of(record))) {
      claim = claim.with(lock);
    }
    return claim;
  }

  /** Fails with BUSY where a user of a volume keeps it from getting another place. */
  void requireMovable(VolumeRecord volume) {
    // What runs has the volume under the name that it had.
    VolumeUsers.requireNone(volume.subject(), users.running(volume));
    VolumeUsers.requireNone(
        volume.subject(), users.of(volume).stream().filter(InstanceRecord::isThrowaway).toList());
  }

  /** Writes down another place of a volume, also in the devices that name it. */
  Catalog.Change moved(VolumeRecord before, VolumeRecord after) {
    requireMovable(before);
    Catalog.Change change = catalog.change(false).move(before, after);
    users.of(before).forEach(user -> change.put(following(user, before, after)));
    return change;
  }

  private static InstanceRecord following(
      InstanceRecord user, VolumeRecord before, VolumeRecord after) {
    TreeMap<String, Device> devices = new TreeMap<>(user.typedDevices());
    devices.replaceAll(
        (name, device) ->
            device instanceof Device.Disk disk
                    && disk.pool().equals(Optional.of(before.pool()))
                    && disk.volume().equals(Optional.of(before.name()))
                ? at(disk, after)
                : device);
    return user.with(user.description(), user.config(), InstanceRecord.textsOf(devices));
  }

  private static Device.Disk at(Device.Disk disk, VolumeRecord volume) {
    String source = volume.name() + disk.subdirectory().map(below -> "/" + below).orElse("");
    return new Device.Disk(
        disk.path(),
        Optional.of(source),
        Optional.of(volume.pool()),
        disk.size(),
        disk.readOnly(),
        disk.recursive(),
        disk.required(),
        disk.limits(),
        disk.bootPriority(),
        disk.io());
  }

  /** Deletes a volume that nobody uses, with its snapshots. */
  public void delete(String id) {
    work.run(
        "storage-volume-delete",
        require(catalog, id).subject(),
        () -> Locks.Claim.alone(require(catalog, id).lock()),
        Progress.NONE,
        step -> {
          VolumeRecord record = require(catalog, id);
          VolumeUsers.requireNone(record.subject(), users.of(record));
          Catalog.Change change = catalog.change(false).remove(record);
          List<Intent.VolumeRef> left = new java.util.ArrayList<>(List.of(record.ref()));
          for (VolumeSnapshotRecord snapshot : catalog.snapshots(record)) {
            change.remove(snapshot);
            left.add(Intent.VolumeRef.of(record.pool(), snapshot.volumeId()));
          }
          trash.discard(step.concludeLeaving(change, left), left);
          work.happened("storage-volume-deleted", record.subject(), Map.of());
          return true;
        });
  }

  /** Where a custom volume is now; without a look at the pool. */
  public VolumeCopySpec place(String id) {
    VolumeRecord record = require(catalog, id);
    return VolumeCopySpec.of(record.pool(), record.name());
  }

  /** What a custom volume is. */
  public VolumeInfo info(String id) {
    return toInfo(require(catalog, id));
  }

  /** All custom volumes of a pool, by name. */
  public List<VolumeInfo> list(String pool) {
    pools.pool(pool);
    return catalog.volumes(pool).stream().map(this::toInfo).toList();
  }

  static VolumeRecord require(Catalog catalog, String id) {
    return catalog.volume(id).orElseThrow(() -> StapesException.notFound("volume " + id));
  }

  /**
   * What a device takes its pool does not tell; nor what one takes that the pool has lost, which
   * keeps nobody from the others.
   */
  private static Optional<Size> usage(StoragePool pool, VolumeId volume) {
    try {
      return VolumeContents.isDevice(pool, volume)
          ? Optional.empty()
          : pool.quotas().map(quotas -> quotas.usage(volume));
    } catch (StapesException e) {
      if (e.kind() == Kind.NOT_FOUND && !pool.exists(volume)) {
        return Optional.empty();
      }
      throw e;
    }
  }

  private VolumeInfo toInfo(VolumeRecord record) {
    return new VolumeInfo(
        record.pool(),
        record.name(),
        record.contentType(),
        record.description(),
        record.typedConfig(),
        usage(pools.pool(record.pool()), record.volumeId()),
        users.of(record).stream().map(InstanceRecord::name).toList(),
        Instant.parse(record.createdAt()));
  }
}
