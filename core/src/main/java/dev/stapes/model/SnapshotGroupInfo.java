package dev.stapes.model;

import java.util.List;

/**
 * Snapshots that were made as of one moment.
 *
 * @param instances those of instances; copied
 * @param volumes those of custom volumes; copied
 */
public record SnapshotGroupInfo(List<SnapshotInfo> instances, List<VolumeSnapshotInfo> volumes) {
  /** Copies. */
  public SnapshotGroupInfo {
    instances = List.copyOf(instances);
    volumes = List.copyOf(volumes);
  }
}
