package dev.stapes.model;

/** What an instance is doing. */
public enum InstanceStatus {
  /** Not running. */
  STOPPED,
  /** Its first process runs. */
  RUNNING,
  /** All its processes are suspended. */
  FROZEN,
  /** Its volume or another part of it is missing or broken; the message of the last error says. */
  ERROR
}
