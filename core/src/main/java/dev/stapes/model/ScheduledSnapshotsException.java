package dev.stapes.model;

import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Some of the snapshots that were due could not be made or deleted; the others were. */
public final class ScheduledSnapshotsException extends StapesException {
  private static final long serialVersionUID = 1L;

  private final transient ScheduledSnapshots done;
  private final transient SortedMap<String, StapesException> failed;

  /**
   * With what was done.
   *
   * @param kind of one of those that failed
   * @param failed see {@link #failed}; not empty; copied
   */
  public ScheduledSnapshotsException(
      Kind kind, ScheduledSnapshots done, SortedMap<String, StapesException> failed) {
    super(kind, "snapshot schedules", failed.size() + " failed: " + texts(failed));
    this.done = done;
    this.failed = Collections.unmodifiableSortedMap(new TreeMap<>(failed));
    failed.values().forEach(this::addSuppressed);
  }

  private static String texts(SortedMap<String, StapesException> failed) {
    return failed.entrySet().stream()
        .map(each -> each.getKey() + " (" + each.getValue().getMessage() + ")")
        .collect(Collectors.joining(", "));
  }

  /** What was made and deleted all the same. */
  public ScheduledSnapshots done() {
    return done;
  }

  /**
   * Why the others were not, by what they are, such as {@code volume default/data} whose snapshot
   * was not made, or {@code expired snapshots of volume default/data}. The next run tries again.
   */
  public SortedMap<String, StapesException> failed() {
    return failed;
  }
}
