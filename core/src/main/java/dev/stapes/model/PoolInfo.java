package dev.stapes.model;

/**
 * What a storage pool is.
 *
 * @param name unique
 * @param driver such as {@code btrfs}
 * @param config as it was set
 * @param total space of the file system that it is on
 * @param used of it, by anybody
 * @param copies whether a copy of a volume costs the same whatever its size
 */
public record PoolInfo(
    String name, String driver, Config config, Size total, Size used, Copies copies) {
  /** How a pool copies a volume. */
  public enum Copies {
    /** Copy-on-write: the cost does not grow with the data. */
    INSTANT,
    /** The same of a volume that nobody uses; of one in use files one by one. */
    INSTANT_AT_REST,
    /** Files one by one, their data shared where the file system can; or all blocks one by one. */
    PER_FILE
  }
}
