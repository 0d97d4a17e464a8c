package dev.stapes.benchmarks;

/** What every container of every subject may use. */
public final class Limit {
  /** Memory in bytes. */
  public static final long MEMORY = 256L << 20;

  /** Processes and threads. */
  public static final int PROCESSES = 100;

  /** The host's id that 0 of a container is, where we choose. */
  public static final long FIRST_ID = 1_000_000;

  /** How many ids. */
  public static final long IDS = 65_536;

  private Limit() {}
}
