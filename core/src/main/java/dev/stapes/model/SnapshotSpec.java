package dev.stapes.model;

import java.time.Instant;
import java.util.Optional;

/**
 * A snapshot that is to be made.
 *
 * @param name unique in the instance, see {@link Names#snapshot}
 * @param description free text
 * @param expiresAt when it may be deleted; empty: as {@code snapshots.expiry} of the instance or
 *     volume says, else never
 * @param stateful whether it has the memory of a virtual machine that runs, which stands still
 *     while it is saved; it needs {@code migration.stateful=true}
 */
public record SnapshotSpec(
    String name, String description, Optional<Instant> expiresAt, boolean stateful) {
  /** Checks the name. */
  public SnapshotSpec {
    Names.snapshot(name);
  }

  /** Of the disk, for ever. */
  public static SnapshotSpec of(String name) {
    return new SnapshotSpec(name, "", Optional.empty(), false);
  }

  /** The same with the memory. */
  public SnapshotSpec withMemory() {
    return new SnapshotSpec(name, description, expiresAt, true);
  }
}
