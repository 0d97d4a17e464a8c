package dev.stapes.storage.lvm;

import dev.stapes.spi.VolumeId;

/**
 * A thin volume with a file system.
 *
 * @param name of the logical volume, in its group
 * @param id what it is called in the pool
 * @param format of the file system
 * @param readOnly whether it is never written to
 * @param copied whether its file system must get a UUID of its own before it is mounted
 * @param size of the logical volume, in bytes
 */
record ThinVolume(
    String name, VolumeId id, VolumeFormat format, boolean readOnly, boolean copied, long size) {

  /** A new one. */
  static ThinVolume fresh(VolumeId id, VolumeFormat format, long size) {
    return new ThinVolume(LvmNames.freshVolume(), id, format, false, false, size);
  }

  /** A copy of it, under a new name. */
  ThinVolume copy(VolumeId target, boolean asReadOnly) {
    return new ThinVolume(
        LvmNames.freshVolume(), target, format, asReadOnly, copied || format.needsOwnUuid(), size);
  }

  /** The same after its file system got a UUID of its own. */
  ThinVolume withOwnUuid() {
    return new ThinVolume(name, id, format, readOnly, false, size);
  }

  /** The same in another size. */
  ThinVolume sized(long bytes) {
    return new ThinVolume(name, id, format, readOnly, copied, bytes);
  }
}
