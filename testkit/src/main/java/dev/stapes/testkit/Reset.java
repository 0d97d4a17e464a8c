package dev.stapes.testkit;

/** What happens to an instance that several test methods use, between two of them. */
public enum Reset {
  /** Nothing: a method finds what the one before left. */
  NONE,
  /**
   * It is put back to a snapshot that was made before the first method: clean as a new one, and
   * faster. Methods that use it never run at the same time.
   */
  RESTORE
}
