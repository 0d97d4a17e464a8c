package dev.stapes.internal.engine;

import dev.stapes.internal.operation.Locks;
import dev.stapes.model.Names;
import dev.stapes.model.Progress;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.model.VolumeInfo;
import dev.stapes.spi.StoragePool;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The custom volumes of pools. */
public final class VolumeService {
  private final PoolService pools;
  private final Catalog catalog;
  private final Work work;
  private final Trash trash;
  private final InstantSource clock;

  VolumeService(PoolService pools, Catalog catalog, Work work, Trash trash, InstantSource clock) {
    this.pools = pools;
    this.catalog = catalog;
    this.work = work;
    this.trash = trash;
    this.clock = clock;
  }

  /** Makes an empty custom volume. */
  public VolumeInfo create(String pool, String name, Optional<Size> size) {
    return makeVolume(pool, Names.volume(name), size, Optional.empty());
  }

  /** Copies a custom volume. */
  public VolumeInfo copy(String pool, String source, String name) {
    return makeVolume(pool, Names.volume(name), Optional.empty(), Optional.of(source));
  }

  private VolumeInfo makeVolume(
      String pool, String name, Optional<Size> wanted, Optional<String> source) {
    String subject = "volume " + pool + "/" + name;
    Locks.Claim claim =
        Locks.Claim.alone(Work.lockOfVolume(pool, name))
            .sharing(Work.lockOfPool(pool))
            .sharing(source.map(from -> Work.lockOfVolume(pool, from)).stream().toList());
    return work.run(
        "storage-volume-create",
        subject,
        () -> claim,
        Progress.NONE,
        step -> {
          StoragePool in = pools.pool(pool);
          if (catalog.volume(pool, name).isPresent()) {
            throw new StapesException(Kind.CONFLICT, subject, "exists already");
          }
          Optional<VolumeRecord> from = source.map(known -> volumeRecord(pool, known));
          Optional<Size> size = from.map(VolumeService::sizeOf).orElse(wanted);
          VolumeRecord record =
              new VolumeRecord(
                  pool,
                  name,
                  "",
                  Ids.volume(),
                  size.map(Size::bytes).orElse(null),
                  clock.instant().toString());
          step.intend(false, List.of(Intent.VolumeRef.of(pool, record.volumeId())));
          step.undo("volume " + record.volumeId(), () -> Trash.takeBack(in, record.volumeId()));
          if (from.isPresent()) {
            in.copy(from.get().volumeId(), record.volumeId(), false);
          } else {
            in.create(record.volumeId());
          }
          pools.limit(in, record.volumeId(), size);
          step.conclude(catalog.change(false).insert(record));
          work.happened("storage-volume-created", subject, Map.of());
          return toInfo(record);
        });
  }

  /** Changes the limit of a custom volume. */
  public void resize(String pool, String name, Optional<Size> size) {
    work.run(
        "storage-volume-resize",
        "volume " + pool + "/" + name,
        List.of(Work.lockOfVolume(pool, name)),
        step -> {
          VolumeRecord record = volumeRecord(pool, name);
          StoragePool.Quotas quotas = PoolService.quotas(pools.pool(pool));
          step.undo(
              "size of volume " + pool + "/" + name,
              () -> quotas.limit(record.volumeId(), sizeOf(record)));
          quotas.limit(record.volumeId(), size);
          return step.conclude(
              catalog
                  .change(false)
                  .put(
                      new VolumeRecord(
                          pool,
                          name,
                          record.description(),
                          record.volume(),
                          size.map(Size::bytes).orElse(null),
                          record.createdAt())));
        });
  }

  /** Deletes a custom volume that nobody uses. */
  public void delete(String pool, String name) {
    String subject = "volume " + pool + "/" + name;
    work.run(
        "storage-volume-delete",
        subject,
        List.of(Work.lockOfVolume(pool, name)),
        step -> {
          VolumeRecord record = volumeRecord(pool, name);
          userOf(pool, name)
              .ifPresent(
                  user -> {
                    throw new StapesException(Kind.BUSY, subject, "in use by " + user);
                  });
          List<Intent.VolumeRef> left = List.of(Intent.VolumeRef.of(pool, record.volumeId()));
          trash.discard(step.concludeLeaving(catalog.change(false).remove(record), left), left);
          work.happened("storage-volume-deleted", subject, Map.of());
          return true;
        });
  }

  /** What a custom volume is. */
  public VolumeInfo get(String pool, String name) {
    return toInfo(volumeRecord(pool, name));
  }

  /** All custom volumes, by name. */
  public List<VolumeInfo> list(String pool) {
    pools.pool(pool);
    return catalog.volumes(pool).stream().map(this::toInfo).toList();
  }

  private static Optional<Size> sizeOf(VolumeRecord record) {
    return Optional.ofNullable(record.size()).map(Size::ofBytes);
  }

  private VolumeRecord volumeRecord(String pool, String name) {
    return catalog
        .volume(pool, name)
        .orElseThrow(() -> StapesException.notFound("volume " + pool + "/" + name))
        .value();
  }

  private Optional<String> userOf(String pool, String volume) {
    VolumeUse wanted = new VolumeUse(pool, volume);
    return catalog.instances().stream()
        .map(Catalog.Stored::value)
        .filter(record -> VolumeUse.of(record.typedDevices().values()).anyMatch(wanted::equals))
        .map(InstanceRecord::subject)
        .findFirst();
  }

  private VolumeInfo toInfo(VolumeRecord record) {
    return new VolumeInfo(
        record.pool(),
        record.name(),
        record.description(),
        sizeOf(record),
        pools.pool(record.pool()).quotas().map(quotas -> quotas.usage(record.volumeId())),
        Instant.parse(record.createdAt()));
  }
}
