package dev.stapes.benchmarks.lifecycle;

/** What every container of every subject may use. */
final class Limit {
  /** Memory in bytes. */
  static final long MEMORY = 256L << 20;

  /** Processes and threads. */
  static final int PROCESSES = 100;

  /** The host's id that 0 of a container is, where we choose. */
  static final long FIRST_ID = 1_000_000;

  /** How many ids. */
  static final long IDS = 65_536;

  private Limit() {}
}
