package dev.stapes.internal.store;

import dev.stapes.spi.StateStore.Change;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * The last commits, in memory: the one queue that all watches read from, each at its own pace. So a
 * slow watch costs no memory of its own; when the log runs out under it, it is lost. Guarded by the
 * store's lock.
 */
final class ChangeLog {
  private static final int OVERHEAD = 100;

  private final int maxChanges;
  private final long maxWeight;

  /** By revision, from {@code forgotten + 1} to {@code last} without gaps. */
  private final Map<Long, Commit> commits = new HashMap<>();

  private long forgotten;
  private long last;
  private int changes;
  private long weight;

  private record Commit(List<Change> changes, long weight) {}

  /**
   * An empty log.
   *
   * @param revision of the store now; what was before is forgotten
   * @param maxChanges so many are kept
   * @param maxWeight so many bytes, roughly, are kept
   */
  ChangeLog(long revision, int maxChanges, long maxWeight) {
    this.forgotten = revision;
    this.last = revision;
    this.maxChanges = maxChanges;
    this.maxWeight = maxWeight;
  }

  /** The last revision whose changes are not known. */
  long forgotten() {
    return forgotten;
  }

  /** Adds a commit. The last one is kept however big it is. */
  void add(long revision, List<Change> made) {
    long size = 0;
    for (Change change : made) {
      size +=
          OVERHEAD + 2L * change.key().length() + 2L * change.value().map(String::length).orElse(0);
    }
    commits.put(revision, new Commit(made, size));
    last = revision;
    changes += made.size();
    weight += size;
    while (forgotten + 1 < last && (changes > maxChanges || weight > maxWeight)) {
      forgotten++;
      Commit oldest = Objects.requireNonNull(commits.remove(forgotten));
      changes -= oldest.changes().size();
      weight -= oldest.weight();
    }
  }

  /** The changes of a revision behind {@link #forgotten}; none of one that is not made yet. */
  List<Change> of(long revision) {
    Commit commit = commits.get(revision);
    return commit == null ? List.of() : commit.changes();
  }

  /** The revision of the last commit. */
  long last() {
    return last;
  }
}
