package dev.stapes.model;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Snapshots that are to be made as of one moment: all of them or none.
 *
 * @param name of each of the snapshots
 * @param description of each of them
 * @param expiresAt when they may be deleted; empty: never, or as long as {@code snapshots.expiry}
 *     says
 * @param instances whose root disks and configs are taken; copied, each of them once
 * @param volumes custom volumes that are taken; copied, each of them once
 */
public record SnapshotGroup(
    String name,
    String description,
    Optional<Instant> expiresAt,
    List<InstanceId> instances,
    List<Member> volumes) {

  /** A custom volume, by its pool and its name. */
  public record Member(String pool, String volume) {
    /** Checks the names. */
    public Member {
      Names.pool(pool);
      Names.volume(volume);
    }
  }

  /** Checks the name, and copies. */
  public SnapshotGroup {
    Names.snapshot(name);
    instances = instances.stream().distinct().toList();
    volumes = volumes.stream().distinct().toList();
  }

  /** Of nothing so far. */
  public static SnapshotGroup of(String name) {
    return new SnapshotGroup(name, "", Optional.empty(), List.of(), List.of());
  }

  /** The same with one more instance. */
  public SnapshotGroup instance(InstanceId id) {
    List<InstanceId> more = Stream.concat(instances.stream(), Stream.of(id)).toList();
    return new SnapshotGroup(name, description, expiresAt, more, volumes);
  }

  /** The same with one more custom volume. */
  public SnapshotGroup volume(String pool, String volume) {
    List<Member> more =
        Stream.concat(volumes.stream(), Stream.of(new Member(pool, volume))).toList();
    return new SnapshotGroup(name, description, expiresAt, instances, more);
  }

  /** What each of the snapshots is. */
  public SnapshotSpec spec() {
    return new SnapshotSpec(name, description, expiresAt, false);
  }
}
