package dev.stapes.internal.engine;

import dev.stapes.model.ScheduledSnapshots;
import dev.stapes.model.ScheduledSnapshotsException;
import dev.stapes.model.SnapshotInfo;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.model.VolumeSnapshotInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;

/** What has been done in one run of the schedules, and what has failed. */
final class ScheduleOutcome {
  final List<SnapshotInfo> instances = new ArrayList<>();
  final List<VolumeSnapshotInfo> volumes = new ArrayList<>();
  final List<SnapshotInfo> expiredOfInstances = new ArrayList<>();
  final List<VolumeSnapshotInfo> expiredOfVolumes = new ArrayList<>();
  private final TreeMap<String, StapesException> failed = new TreeMap<>();
  private Optional<Kind> last = Optional.empty();

  /**
   * Does a part of it.
   *
   * @param what it is called where it fails
   * @param stillThere whether that of which it is exists: else it was deleted meanwhile
   * @return false where it is to be tried again
   */
  boolean attempt(String what, BooleanSupplier stillThere, Runnable work) {
    try {
      work.run();
      return true;
    } catch (StapesException e) {
      if (e.kind() == Kind.INTERRUPTED) {
        throw e;
      }
      if (e.kind() == Kind.NOT_FOUND && !stillThere.getAsBoolean()) {
        return true;
      }
      failed.put(what, e);
      last = Optional.of(e.kind());
      return false;
    }
  }

  ScheduledSnapshots done() {
    ScheduledSnapshots done =
        new ScheduledSnapshots(instances, volumes, expiredOfInstances, expiredOfVolumes);
    if (last.isPresent()) {
      throw new ScheduledSnapshotsException(last.get(), done, failed);
    }
    return done;
  }
}
