package dev.stapes;

import dev.stapes.internal.engine.Engine;
import dev.stapes.model.SnapshotSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.VolumeSnapshotInfo;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** The snapshots of one custom volume. */
public final class VolumeSnapshots {
  private final Engine engine;
  private final String id;

  VolumeSnapshots(Engine engine, String id) {
    this.engine = engine;
    this.id = id;
  }

  /** Makes one that is called as {@code snapshots.pattern} says. See {@link #create(String)}. */
  public VolumeSnapshotInfo create() {
    return engine.volumeSnapshots().create(id);
  }

  /**
   * Makes one as of one moment, which is kept as long as {@code snapshots.expiry} says. Instances
   * that use the volume go on; where the pool copies file by file they stand still meanwhile.
   *
   * @throws StapesException CONFLICT where there is one of that name
   */
  public VolumeSnapshotInfo create(String name) {
    return create(SnapshotSpec.of(name));
  }

  /**
   * The same with a description and a time of its own; of the volume alone.
   *
   * @throws StapesException INVALID where it is to have the memory of a machine; CONFLICT where
   *     there is one of that name
   */
  public VolumeSnapshotInfo create(SnapshotSpec spec) {
    return engine.volumeSnapshots().create(id, spec);
  }

  /** All of them, oldest first. */
  public List<VolumeSnapshotInfo> list() {
    return engine.volumeSnapshots().list(id);
  }

  /**
   * One of them.
   *
   * @throws StapesException NOT_FOUND
   */
  public VolumeSnapshotInfo get(String name) {
    return engine.volumeSnapshots().get(id, name);
  }

  /**
   * Puts the volume back to any of them; all stay, also the newer ones.
   *
   * @throws StapesException BUSY where an instance that uses the volume runs, naming it
   */
  public void restore(String name) {
    engine.volumeSnapshots().restore(id, name);
  }

  /**
   * Gives one another name.
   *
   * @throws StapesException NOT_FOUND; CONFLICT where there is one of that name
   */
  public void rename(String name, String newName) {
    engine.volumeSnapshots().rename(id, name, newName);
  }

  /** Says when one may be deleted; empty: never. */
  public VolumeSnapshotInfo expire(String name, Optional<Instant> at) {
    return engine.volumeSnapshots().expire(id, name, at);
  }

  /** Deletes one. */
  public void delete(String name) {
    engine.volumeSnapshots().delete(id, name);
  }

  /** Deletes those whose time has come, and returns their names. */
  public List<String> deleteExpired() {
    return engine.volumeSnapshots().deleteExpired(id);
  }
}
