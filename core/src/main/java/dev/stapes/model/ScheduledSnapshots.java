package dev.stapes.model;

import java.util.List;

/**
 * What was done of what was due.
 *
 * @param instances those that were made of instances; copied
 * @param volumes those that were made of custom volumes; copied
 * @param expiredOfInstances those of instances that were deleted since their time had come; copied
 * @param expiredOfVolumes the same of custom volumes; copied
 */
public record ScheduledSnapshots(
    List<SnapshotInfo> instances,
    List<VolumeSnapshotInfo> volumes,
    List<SnapshotInfo> expiredOfInstances,
    List<VolumeSnapshotInfo> expiredOfVolumes) {
  /** Copies. */
  public ScheduledSnapshots {
    instances = List.copyOf(instances);
    volumes = List.copyOf(volumes);
    expiredOfInstances = List.copyOf(expiredOfInstances);
    expiredOfVolumes = List.copyOf(expiredOfVolumes);
  }
}
