package dev.stapes.model;

/**
 * Where a custom volume is copied to.
 *
 * @param pool of the copy; it may be of another driver
 * @param name of the copy
 * @param withSnapshots whether the snapshots come along
 */
public record VolumeCopySpec(String pool, String name, boolean withSnapshots) {
  /** Checks the names. */
  public VolumeCopySpec {
    Names.pool(pool);
    Names.volume(name);
  }

  /** Without its snapshots. */
  public static VolumeCopySpec of(String pool, String name) {
    return new VolumeCopySpec(pool, name, false);
  }

  /** The same with its snapshots. */
  public VolumeCopySpec snapshotsToo() {
    return new VolumeCopySpec(pool, name, true);
  }
}
