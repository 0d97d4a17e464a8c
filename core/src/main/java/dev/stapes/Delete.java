package dev.stapes;

/** Whether a running instance may be deleted. */
public enum Delete {
  /** Only if it is stopped. */
  STOPPED,
  /** End it first, without asking it. */
  FORCE
}
