package dev.stapes.internal.engine;

import com.fasterxml.jackson.annotation.JsonIgnore;
import dev.stapes.model.Config;
import dev.stapes.model.InstanceId;
import dev.stapes.model.InstanceInfo;
import dev.stapes.model.SnapshotInfo;
import dev.stapes.spi.VolumeId;
import java.time.Instant;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What the store keeps of a snapshot.
 *
 * @param instance id
 * @param name unique in the instance
 * @param description free text
 * @param volume name of its volume, in the pool of the instance
 * @param config of the instance then
 * @param devices of the instance then
 * @param createdAt ISO-8601
 * @param expiresAt ISO-8601, or null
 */
record SnapshotRecord(
    String instance,
    String name,
    String description,
    String volume,
    SortedMap<String, String> config,
    SortedMap<String, SortedMap<String, String>> devices,
    String createdAt,
    @Nullable String expiresAt) {

  @JsonIgnore
  VolumeId volumeId() {
    return new VolumeId(VolumeId.Kind.SNAPSHOT, volume);
  }

  SnapshotRecord withName(String newName) {
    return new SnapshotRecord(
        instance, newName, description, volume, config, devices, createdAt, expiresAt);
  }

  /** The same with memory. */
  SnapshotRecord withState(String state) {
    TreeMap<String, String> more = new TreeMap<>(config);
    more.put(InstanceInfo.STATE, state);
    return new SnapshotRecord(
        instance, name, description, volume, more, devices, createdAt, expiresAt);
  }

  SnapshotInfo toInfo() {
    return new SnapshotInfo(
        new InstanceId(instance),
        name,
        description,
        Instant.parse(createdAt),
        Optional.ofNullable(expiresAt).map(Instant::parse),
        Config.of(config),
        InstanceRecord.devicesOf(devices));
  }
}
