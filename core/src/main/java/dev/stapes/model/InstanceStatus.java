package dev.stapes.model;

/** What an instance is doing. */
public enum InstanceStatus {
  /** Not running. */
  STOPPED,
  /** Its first process runs. */
  RUNNING,
  /** All its processes are suspended. */
  FROZEN,
  /**
   * Its volume or another part of it is missing or broken, or it ran when it was last heard of and
   * cannot be looked for since its driver does not work here; what is attempted says which. Or it
   * stands still by itself: the disk of a virtual machine is full, its kernel panicked. An event
   * {@code instance-error} told why, and unfreezing lets it try again.
   */
  ERROR
}
