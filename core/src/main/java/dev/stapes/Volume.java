package dev.stapes;

import dev.stapes.internal.engine.Engine;
import dev.stapes.model.Progress;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.VolumeCopySpec;
import dev.stapes.model.VolumeInfo;
import dev.stapes.model.VolumeKeys;
import java.io.OutputStream;
import java.util.Map;
import java.util.Optional;

/**
 * A custom volume. It stays the same whatever its name is, and in whichever pool it is. A method
 * throws NOT_FOUND where it was deleted.
 */
public final class Volume {
  private final Engine engine;
  private final String id;

  Volume(Engine engine, String id) {
    this.engine = engine;
    this.id = id;
  }

  /** Its name now; a read of the store. */
  public String name() {
    return engine.volumes().place(id).name();
  }

  /** What it is. */
  public VolumeInfo info() {
    return engine.volumes().info(id);
  }

  /**
   * Sets config keys, see {@link VolumeKeys}; an empty value removes its key.
   *
   * @throws StapesException INVALID for an unknown key or a bad value; UNSUPPORTED where a limit is
   *     set and the pool has no quotas
   */
  public VolumeInfo update(Map<String, String> config) {
    return engine.volumes().update(id, Optional.empty(), config);
  }

  /** Replaces the description. */
  public VolumeInfo describe(String text) {
    return engine.volumes().update(id, Optional.of(text), Map.of());
  }

  /**
   * Limits its data, or removes the limit; a block volume gets that size, which running machines
   * see. Instances that use it may run.
   *
   * @throws StapesException UNSUPPORTED where the pool has no quotas; INVALID where a block volume
   *     is to shrink or to be without a size, and for an ISO volume
   */
  public VolumeInfo resize(Optional<Size> limit) {
    return update(Map.of(VolumeKeys.SIZE.name(), limit.map(Size::toString).orElse("")));
  }

  /**
   * Gives it another name, also in the devices of the instances that use it, but not in those of
   * their snapshots: such a snapshot is restored only while a volume has the name that it knows.
   *
   * @throws StapesException CONFLICT where there is one of that name in its pool; BUSY where an
   *     instance that uses it runs or is a throwaway one, naming it
   */
  public void rename(String newName) {
    engine.volumes().rename(id, newName);
  }

  /** Its snapshots. */
  public VolumeSnapshots snapshots() {
    return new VolumeSnapshots(engine, id);
  }

  /** Copies it within its pool, without its snapshots. See {@link #copyTo(VolumeCopySpec)}. */
  public Volume copyTo(String copy) {
    return copyTo(VolumeCopySpec.of(engine.volumes().place(id).pool(), copy), Progress.NONE);
  }

  /** See {@link #copyTo(VolumeCopySpec, Progress)}. */
  public Volume copyTo(VolumeCopySpec spec) {
    return copyTo(spec, Progress.NONE);
  }

  /**
   * Copies it, as of one moment: within its pool in the fastest way that the pool has, to another
   * one of the same driver by its streams where it has them, and else file by file, with owners,
   * times, hard links, holes and extended attributes, but without sockets. Instances that use it
   * may run.
   *
   * @param progress told of bytes
   * @throws StapesException CONFLICT where there is one of that name; UNSUPPORTED where it has a
   *     limit and the other pool has no quotas; EXHAUSTED
   */
  public Volume copyTo(VolumeCopySpec spec, Progress progress) {
    return new Volume(engine, engine.volumeCopies().copy(id, spec, progress));
  }

  /** Moves it to another pool. See {@link #moveTo(String, String, Progress)}. */
  public void moveTo(String pool) {
    moveTo(pool, name(), Progress.NONE);
  }

  /**
   * Moves it with its snapshots, and changes the devices of instances that name it with it. It is
   * brought there as by {@link #copyTo(VolumeCopySpec, Progress)}, and is in its old place until
   * all of it is in the new one. Instances that use it cannot start meanwhile.
   *
   * @throws StapesException as {@link #copyTo(VolumeCopySpec, Progress)} and {@link #rename}
   */
  public void moveTo(String pool, String newName, Progress progress) {
    VolumeCopySpec place = VolumeCopySpec.of(pool, newName);
    engine.volumeCopies().move(id, place.pool(), place.name(), progress);
  }

  /** Writes a backup. See {@link #export(OutputStream, Progress)}. */
  public void export(OutputStream out) {
    export(out, Progress.NONE);
  }

  /**
   * Writes a backup of it as of one moment, with its snapshots and config: a tar archive in zstd,
   * with a checksum behind that tools pass over. {@link Volumes#importFrom} reads it, in pools of
   * any driver. Sockets are left out; each snapshot is in it as a whole. Until it is written the
   * volume and its snapshots can be used but not changed: that is BUSY.
   *
   * @param out stays open
   * @throws StapesException UNAVAILABLE or EXHAUSTED where it cannot be written; INVALID for what
   *     could not be read again, such as a name that is not UTF-8
   */
  public void export(OutputStream out, Progress progress) {
    engine.volumeBackups().write(id, out, progress);
  }

  /**
   * Deletes it with its snapshots.
   *
   * @throws StapesException BUSY where instances have it among their devices, naming them
   */
  public void delete() {
    engine.volumes().delete(id);
  }
}
