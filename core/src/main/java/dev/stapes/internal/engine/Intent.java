package dev.stapes.internal.engine;

import java.util.List;

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
 */
record Intent(String action, String subject, List<VolumeRef> volumes, String pool) {

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
    return new Intent(action, subject, volumes, "");
  }

  static Intent onPool(String action, String pool) {
    return new Intent(action, "pool " + pool, List.of(), pool);
  }
}
