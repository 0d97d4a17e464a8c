package dev.stapes;

import dev.stapes.internal.engine.Engine;
import dev.stapes.model.InstanceId;
import dev.stapes.model.Progress;
import dev.stapes.model.SnapshotInfo;
import dev.stapes.model.SnapshotSpec;
import dev.stapes.model.StapesException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** The snapshots of one instance: its root disk and config as they were. */
public final class Snapshots {
  private final Engine engine;
  private final InstanceId id;

  Snapshots(Engine engine, InstanceId id) {
    this.engine = engine;
    this.id = id;
  }

  /**
   * Makes a snapshot; a running instance goes on.
   *
   * @param name unique in the instance, see {@link dev.stapes.model.Names#snapshot}
   * @throws StapesException CONFLICT where there is one of that name
   */
  public SnapshotInfo create(String name) {
    return create(SnapshotSpec.of(name));
  }

  /**
   * Makes a snapshot.
   *
   * @throws StapesException CONFLICT where there is one of that name, or the memory of one that
   *     does not run is asked for; UNSUPPORTED or INVALID where its memory cannot be saved
   */
  public SnapshotInfo create(SnapshotSpec spec) {
    return engine.snapshots().create(id, spec);
  }

  /** Makes a snapshot with a description, and a time after which it may be deleted. */
  public SnapshotInfo create(String name, String description, Optional<Instant> expiresAt) {
    return create(new SnapshotSpec(name, description, expiresAt, false));
  }

  /** All of them, oldest first. */
  public List<SnapshotInfo> list() {
    return engine.snapshots().list(id);
  }

  /**
   * One of them.
   *
   * @throws StapesException NOT_FOUND
   */
  public SnapshotInfo get(String name) {
    return engine.snapshots().get(id, name);
  }

  /**
   * Puts root disk and config back to a snapshot. A running instance is ended, restored and started
   * again. Later snapshots stay.
   *
   * @throws StapesException NOT_FOUND, too, where the snapshot names a custom volume that was
   *     deleted since, naming it; nothing has changed then
   */
  public void restore(String name) {
    restore(name, Memory.DROPPED);
  }

  /**
   * The same, maybe with the memory: then it goes on from there, also where it did not run.
   *
   * @throws StapesException INVALID where the snapshot has none
   */
  public void restore(String name, Memory memory) {
    engine.snapshots().restore(id, name, memory == Memory.KEPT);
  }

  /** Gives a snapshot another name. */
  public void rename(String name, String newName) {
    engine.snapshots().rename(id, name, newName);
  }

  /** Deletes a snapshot. */
  public void delete(String name) {
    engine.snapshots().delete(id, name);
  }

  /** Deletes those whose time has come, and returns their names. */
  public List<String> deleteExpired() {
    return engine.snapshots().deleteExpired(id);
  }

  /** Makes another instance from a snapshot. */
  public Instance copyTo(String snapshot, String name) {
    return copyTo(snapshot, name, Memory.DROPPED);
  }

  /**
   * The same, maybe with the memory: the copy goes on from there when it is started, which is much
   * faster than to boot. Its clock is set, and it is told its host name and given a machine id of
   * its own by its agent; what programs have read of those before they keep.
   *
   * @throws StapesException INVALID where the snapshot has no memory
   */
  public Instance copyTo(String snapshot, String name, Memory memory) {
    return new Instance(
        engine,
        engine
            .instances()
            .copy(id, Optional.of(snapshot), name, memory == Memory.KEPT, Progress.NONE));
  }
}
