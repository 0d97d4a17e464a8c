package dev.stapes.benchmarks.storage;

import dev.stapes.benchmarks.Labelled;

/** What is measured, in the order in which it is. */
enum StoragePath implements Labelled {
  /** An empty volume. */
  CREATE("create", "Create an empty volume", Unit.MILLISECONDS),
  /** A volume out of a snapshot. */
  CLONE("clone", "Clone a snapshot", Unit.MILLISECONDS),
  /** A volume put back to its snapshot. */
  RESTORE("restore", "Restore a snapshot", Unit.MILLISECONDS),
  /** A clone with changes, until it is gone by its name. */
  DELETE("delete", "Delete a volume, until its name is free", Unit.MILLISECONDS),
  /** What a deleted clone took, until the space is back. */
  RECLAIM("reclaim", "Reclaim the space of a deleted volume", Unit.MILLISECONDS),
  /** A snapshot as a stream. */
  SEND("send", "Send a snapshot", Unit.MILLISECONDS),
  /** What differs between two snapshots as a stream. */
  DIFF("diff", "Send the difference of two snapshots", Unit.MILLISECONDS),
  /** A stream back into a snapshot. */
  RECEIVE("receive", "Receive a snapshot", Unit.MILLISECONDS),
  /** 4 KiB in the middle of a large file, on the disk. */
  FIRST_WRITE("first-write", "First write to a clone: 4 KiB, with fsync", Unit.MILLISECONDS),
  /** A tar without compression. */
  UNPACK("unpack", "Unpack an archive into a new volume", Unit.MILLISECONDS),
  /** Clones by so many threads at once. */
  CLONES("clones", "Clones in parallel, by threads", Unit.CLONES_PER_SECOND),
  /** A snapshot of a volume that has so many already. */
  SNAPSHOT("snapshot", "Snapshot, by how many the volume has already", Unit.MILLISECONDS),
  /** So many snapshots, one or a thousand at a time as the subject likes. */
  DELETE_SNAPSHOTS(
      "delete-snapshots",
      "Delete snapshots, by how many, until their space is back",
      Unit.MILLISECONDS),
  /** A large file, written from begin to end. */
  SEQUENTIAL_WRITE("seq-write", "Sequential write in a container", Unit.MEGABYTES_PER_SECOND),
  /** The same file read. */
  SEQUENTIAL_READ("seq-read", "Sequential read in a container", Unit.MEGABYTES_PER_SECOND),
  /** Blocks of 4 KiB here and there. */
  RANDOM_WRITE("random-write", "Random 4 KiB writes in a container", Unit.OPERATIONS_PER_SECOND),
  /** The same read. */
  RANDOM_READ("random-read", "Random 4 KiB reads in a container", Unit.OPERATIONS_PER_SECOND);

  private final String label;
  private final String title;
  private final Unit unit;

  StoragePath(String label, String title, Unit unit) {
    this.label = label;
    this.title = title;
    this.unit = unit;
  }

  @Override
  public String label() {
    return label;
  }

  /** What it is, for a heading. */
  String title() {
    return title;
  }

  Unit unit() {
    return unit;
  }

  /** Whether it is measured with several numbers of something, which make a line. */
  boolean isSeries() {
    return this == SNAPSHOT || this == CLONES;
  }

  /** Whether it takes a pool that makes streams. */
  boolean streams() {
    return this == SEND || this == DIFF || this == RECEIVE;
  }

  /** Whether it takes a time, and a bare command exists that does the same and waits for it. */
  boolean hasBareCommand() {
    return unit == Unit.MILLISECONDS && this != RECLAIM && this != DELETE_SNAPSHOTS;
  }

  /** Whether it runs in a container. */
  boolean inContainer() {
    return ordinal() >= SEQUENTIAL_WRITE.ordinal();
  }
}
