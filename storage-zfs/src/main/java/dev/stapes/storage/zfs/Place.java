package dev.stapes.storage.zfs;

import java.util.Optional;

/**
 * Where a volume is: one that can be written to is a dataset, a read-only one is a snapshot.
 *
 * @param dataset the dataset itself, or the one that the snapshot is of
 * @param snapshot the snapshot's component; empty for the dataset itself
 */
record Place(DatasetName dataset, String snapshot) {
  /** A dataset. */
  static Place of(DatasetName dataset) {
    return new Place(dataset, "");
  }

  /**
   * Reads a name as ZFS writes it; empty for one that an administrator gave with blanks: it is not
   * ours, and no volume of ours needs it.
   */
  static Optional<Place> parse(String name) {
    int at = name.indexOf('@');
    String dataset = at < 0 ? name : name.substring(0, at);
    return DatasetName.isName(dataset)
        ? Optional.of(new Place(new DatasetName(dataset), at < 0 ? "" : name.substring(at + 1)))
        : Optional.empty();
  }

  /** Whether it is a snapshot. */
  boolean isSnapshot() {
    return !snapshot.isEmpty();
  }

  /** The name that {@code zfs} and mount(2) take. */
  @Override
  public String toString() {
    return isSnapshot() ? dataset.snapshot(snapshot) : dataset.text();
  }
}
