package dev.stapes.storage.zfs;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * What to do next for the space of what is gone to come back: a pure function of what there is.
 * None of its steps touches what a volume has.
 *
 * <ul>
 *   <li>Snapshots that are gone are destroyed; one that has clones goes by itself after them.
 *   <li>A dataset that is gone and whose snapshots are volumes stays for them; what was written to
 *       it since the newest of them is freed by taking it back to that.
 *   <li>A dataset that is gone and is held by clones alone changes places with one of them: the
 *       clone has the snapshots then.
 *   <li>A dataset that is gone and has no snapshots is destroyed.
 * </ul>
 */
final class Reclamation {
  private Reclamation() {}

  /** A change to make. */
  sealed interface Step {
    /** What is changed. */
    DatasetName dataset();

    /** Destroys snapshots of a dataset. */
    record DropSnapshots(DatasetName dataset, List<String> components) implements Step {
      /** Copies. */
      public DropSnapshots {
        components = List.copyOf(components);
      }
    }

    /** Takes a dataset back to its newest snapshot. */
    record Rollback(Place snapshot) implements Step {
      @Override
      public DatasetName dataset() {
        return snapshot.dataset();
      }
    }

    /** Lets a clone change places with what it is a clone of. */
    record Promote(DatasetName dataset) implements Step {}

    /** Destroys a dataset. */
    record Destroy(DatasetName dataset) implements Step {}
  }

  /**
   * The steps that can be taken now; what they make possible is told when this is asked again.
   *
   * @param inProgress components that somebody still needs although their names say otherwise
   */
  static List<Step> next(DatasetName root, List<Entry> entries, Set<String> inProgress) {
    Map<DatasetName, List<Entry>> snapshots = new TreeMap<>();
    for (Entry entry : entries) {
      List<Entry> of = snapshots.computeIfAbsent(entry.place().dataset(), key -> new ArrayList<>());
      if (entry.place().isSnapshot()) {
        of.add(entry);
      }
    }
    List<Step> steps = new ArrayList<>();
    for (Entry entry : entries) {
      Optional<String> component = VolumeIndex.below(root, entry.place().dataset());
      if (!entry.place().isSnapshot() && component.isPresent()) {
        boolean gone = isGone(component.get(), inProgress);
        List<Entry> own = snapshots.getOrDefault(entry.place().dataset(), List.of());
        ofDataset(entry, gone, own, entries, inProgress).ifPresent(steps::add);
      }
    }
    return steps;
  }

  private static boolean isGone(String component, Set<String> inProgress) {
    return VolumeNames.isGone(component) && !inProgress.contains(component);
  }

  private static Optional<Step> ofDataset(
      Entry dataset, boolean gone, List<Entry> own, List<Entry> all, Set<String> inProgress) {
    DatasetName name = dataset.place().dataset();
    List<String> dropped =
        own.stream()
            .filter(snapshot -> !snapshot.deferred())
            .map(snapshot -> snapshot.place().snapshot())
            .filter(component -> isGone(component, inProgress))
            .toList();
    if (!dropped.isEmpty()) {
      return Optional.of(new Step.DropSnapshots(name, dropped));
    }
    if (!gone) {
      return Optional.empty();
    }
    Optional<Entry> newest = own.stream().max(Comparator.comparingLong(Entry::created));
    if (newest.isEmpty()) {
      return Optional.of(new Step.Destroy(name));
    }
    if (own.stream().allMatch(Entry::deferred)) {
      return newestClone(own, all, inProgress).map(Step.Promote::new);
    }
    return dataset.written() > 0
        ? Optional.of(new Step.Rollback(newest.get().place()))
        : Optional.empty();
  }

  /**
   * The clone of the newest snapshot that has one: with it come all older snapshots. One that is
   * about to go itself is of no use, and one that waits for the rest of a stream cannot have them.
   */
  private static Optional<DatasetName> newestClone(
      List<Entry> snapshots, List<Entry> all, Set<String> inProgress) {
    return snapshots.stream()
        .sorted(Comparator.comparingLong(Entry::created).reversed())
        .flatMap(snapshot -> all.stream().filter(entry -> isCloneOf(entry, snapshot.place())))
        .map(clone -> clone.place().dataset())
        .filter(clone -> !isUnfinished(clone, inProgress) && !goesNow(clone, all, inProgress))
        .findFirst();
  }

  private static boolean isUnfinished(DatasetName clone, Set<String> inProgress) {
    String component = clone.component();
    return VolumeNames.ofUnfinished(component).isPresent() && inProgress.contains(component);
  }

  private static boolean goesNow(DatasetName clone, List<Entry> all, Set<String> inProgress) {
    String component = clone.component();
    return isGone(component, inProgress)
        && all.stream()
            .noneMatch(
                entry -> entry.place().isSnapshot() && entry.place().dataset().equals(clone));
  }

  private static boolean isCloneOf(Entry entry, Place snapshot) {
    return entry.origin().equals(snapshot.dataset().text() + "@" + snapshot.snapshot());
  }
}
