package dev.stapes;

/** What becomes of the memory that a snapshot has. */
public enum Memory {
  /** Only the disk is taken; the instance boots from it. */
  DROPPED,

  /** The instance goes on where it was when the snapshot was made. */
  KEPT
}
