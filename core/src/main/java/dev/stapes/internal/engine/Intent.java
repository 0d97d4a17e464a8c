package dev.stapes.internal.engine;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What an operation is about to do to the machine, written before it does. Whatever the operation,
 * there is one way to make up for its crash: the volumes that it names are removed, unless a record
 * refers to them. An operation that succeeds commits the record and the removal of its intent in
 * one transaction; one that deletes commits the removal of the record and an intent for the volumes
 * in one, and takes the intent away when they are gone.
 *
 * @param action such as {@code instance-create}
 * @param subject such as {@code instance web}
 * @param volumes to remove where nothing refers to them
 * @param pool a pool that was being made or removed, by name; empty text: none
 * @param removed that pool where it was being removed: it is ours, and has to go
 * @param frozen the id of an instance that stands still while it is copied, and is to go on
 * @param loaded the memory that it was loaded from, where its guest is to be told so
 * @param attempted what a running instance was being made
 * @param handover what says whose a machine is that moves to another root directory
 * @param made that pool where it was being made; null also in what an older version wrote
 */
record Intent(
    String action,
    String subject,
    List<VolumeRef> volumes,
    String pool,
    @Nullable PoolRecord removed,
    @Nullable String frozen,
    @Nullable String loaded,
    @Nullable InstanceRecord attempted,
    @Nullable Handover handover,
    @Nullable PoolRecord made) {

  /**
   * A running machine moves to another root directory; both have such an intent.
   *
   * @param file of the decision, see {@link Handovers}
   * @param arriving what the instance will be; null where it leaves
   */
  record Handover(String file, @Nullable InstanceRecord arriving) {}

  /** A volume of a pool. */
  record VolumeRef(String pool, String kind, String name) {
    static VolumeRef of(String pool, dev.stapes.spi.VolumeId id) {
      return new VolumeRef(pool, id.kind().name(), id.name());
    }

    dev.stapes.spi.VolumeId volumeId() {
      return new dev.stapes.spi.VolumeId(dev.stapes.spi.VolumeId.Kind.valueOf(kind), name);
    }
  }

  Intent {
    volumes = List.copyOf(volumes);
  }

  static Intent onVolumes(String action, String subject, List<VolumeRef> volumes) {
    return new Intent(action, subject, volumes, "", null, null, null, null, null, null);
  }

  /** A pool is being made: whether what is found under its source is ours, its driver says. */
  static Intent creationOf(PoolRecord pool) {
    return onPool("storage-pool-create", pool, null, pool);
  }

  static Intent removalOf(PoolRecord pool) {
    return onPool("storage-pool-delete", pool, pool, null);
  }

  private static Intent onPool(
      String action, PoolRecord pool, @Nullable PoolRecord removed, @Nullable PoolRecord made) {
    return new Intent(
        action,
        "pool " + pool.name(),
        List.of(),
        pool.name(),
        removed,
        null,
        null,
        null,
        null,
        made);
  }

  /** The same, of a running instance into a volume. */
  static Intent stillnessOf(InstanceRecord instance, List<VolumeRef> volumes) {
    return new Intent(
        "instance-snapshot-create",
        instance.subject(),
        volumes,
        "",
        null,
        instance.id(),
        null,
        null,
        null,
        null);
  }

  /** A running instance is copied as of one moment. */
  static Intent stillnessOf(InstanceRecord instance) {
    return new Intent(
        "instance-copy",
        instance.subject(),
        List.of(),
        "",
        null,
        instance.id(),
        null,
        null,
        null,
        null);
  }

  /** The same of a machine that goes on: its guest may still be at rest. */
  Intent going() {
    return new Intent(
        action, subject, volumes, pool, removed, null, null, attempted, handover, made);
  }

  /** An instance goes on from memory that its record names. */
  static Intent resumptionOf(InstanceRecord saved) {
    return new Intent(
        "instance-start",
        saved.subject(),
        List.of(),
        "",
        null,
        saved.id(),
        SavedStates.idIn(saved.config()).orElse(null),
        null,
        null,
        null);
  }

  /** A running instance becomes what a record says that is not written down yet. */
  static Intent changeTo(InstanceRecord after) {
    return new Intent(
        "instance-update", after.subject(), List.of(), "", null, null, null, after, null, null);
  }

  /** A running instance leaves, and goes on unless it has been decided that it is gone. */
  static Intent departureOf(InstanceRecord instance, Path decision) {
    return new Intent(
        "instance-migrate",
        instance.subject(),
        List.of(),
        "",
        null,
        instance.id(),
        null,
        null,
        new Handover(decision.toString(), null),
        null);
  }

  /** A running instance arrives, and is removed unless it has been decided that it is here. */
  static Intent arrivalOf(InstanceRecord instance, Path decision) {
    return new Intent(
        "instance-create",
        instance.subject(),
        List.of(VolumeRef.of(instance.pool(), instance.volumeId())),
        "",
        null,
        null,
        null,
        null,
        new Handover(decision.toString(), instance),
        null);
  }
}
