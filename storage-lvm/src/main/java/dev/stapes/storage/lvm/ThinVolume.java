package dev.stapes.storage.lvm;

import dev.stapes.linux.host.DriverErrors;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.VolumeId;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A volume of a pool, thin or plain.
 *
 * @param name of the logical volume, in its group
 * @param id what it is called in the pool
 * @param format of its file system; empty: it is a block device and nobody knows what is on it
 * @param readOnly whether it is never written to
 * @param copied whether its file system must get a UUID of its own before it is mounted
 * @param size of the logical volume, in bytes
 */
record ThinVolume(
    String name,
    VolumeId id,
    Optional<VolumeFormat> format,
    boolean readOnly,
    boolean copied,
    long size) {

  /** A new one with a file system. */
  static ThinVolume fresh(VolumeId id, VolumeFormat format, long size) {
    return new ThinVolume(LvmNames.freshVolume(), id, Optional.of(format), false, false, size);
  }

  /** A new block device. */
  static ThinVolume block(VolumeId id, long size) {
    return new ThinVolume(LvmNames.freshVolume(), id, Optional.empty(), false, false, size);
  }

  /** A read-only one of what is received. */
  static ThinVolume received(VolumeId id, StreamHeader header, long size) {
    Optional<VolumeFormat> format = header.format();
    boolean copied = format.filter(VolumeFormat::needsOwnUuid).isPresent();
    return new ThinVolume(LvmNames.freshVolume(), id, format, true, copied, size);
  }

  /** A copy of it, under a new name. */
  ThinVolume copy(VolumeId target, boolean asReadOnly) {
    boolean withItsUuid = copied || format.filter(VolumeFormat::needsOwnUuid).isPresent();
    return new ThinVolume(LvmNames.freshVolume(), target, format, asReadOnly, withItsUuid, size);
  }

  /** The same under another name. */
  ThinVolume named(String other) {
    return new ThinVolume(other, id, format, readOnly, copied, size);
  }

  /** The same after its file system got a UUID of its own. */
  ThinVolume withOwnUuid() {
    return new ThinVolume(name, id, format, readOnly, false, size);
  }

  /** The same in another size. */
  ThinVolume sized(long bytes) {
    return new ThinVolume(name, id, format, readOnly, copied, bytes);
  }

  /** For messages. */
  String subject() {
    return "volume " + id;
  }

  /**
   * In use at a path.
   *
   * @param release done once, when it is closed
   */
  StoragePool.Attachment attached(Path path, Runnable release) {
    Runnable named =
        () ->
            DriverErrors.naming(
                subject(),
                "cannot be let go",
                () -> {
                  release.run();
                  return path;
                });
    return StoragePool.Attachment.of(path, Optional.empty(), named);
  }

  /**
   * Its file system.
   *
   * @throws StapesException INVALID where it is a block device
   */
  VolumeFormat files() {
    return format.orElseThrow(
        () -> StapesException.invalid(subject(), "is a block device: it has no files"));
  }

  /**
   * Itself.
   *
   * @throws StapesException INVALID where it has files
   */
  ThinVolume blocks() {
    if (format.isPresent()) {
      throw StapesException.invalid(subject(), "has files: it is no block device");
    }
    return this;
  }

  /**
   * Itself.
   *
   * @throws StapesException DENIED where it is read-only
   */
  ThinVolume writable() {
    if (readOnly) {
      throw new StapesException(Kind.DENIED, subject(), "is read-only");
    }
    return this;
  }
}
