package dev.stapes.benchmarks.lifecycle;

import dev.stapes.benchmarks.Labelled;

/** What is measured; the same for every subject. */
enum LifecyclePath implements Labelled {
  /** A container from the image, started, {@code true} executed in it, killed and deleted. */
  CYCLE("cycle"),
  /** One from the warm pool, until {@code true} has been executed in it. */
  CYCLE_WARM_POOL("cycle-warm-pool"),
  /** From created and stopped to ready. */
  START("start"),
  /** {@code true} in a running one, until the exit code is there. */
  EXEC("exec"),
  /** A snapshot of a running one. */
  SNAPSHOT("snapshot"),
  /** A copy of a stopped one, stopped. */
  CLONE("clone"),
  /** A running one put back to a snapshot, until it is ready again. */
  RESTORE_RUNNING("restore-running"),
  /** A stopped one put back to a snapshot. */
  RESTORE_STOPPED("restore-stopped"),
  /** From running to gone, by force. */
  DELETE_RUNNING("delete-running"),
  /** From running to stopped, by force. */
  STOP_FORCE("stop-force");

  private final String label;

  LifecyclePath(String label) {
    this.label = label;
  }

  @Override
  public String label() {
    return label;
  }
}
