package dev.stapes.internal.engine;

import com.fasterxml.jackson.annotation.JsonIgnore;
import dev.stapes.model.Config;
import dev.stapes.model.Device;
import dev.stapes.model.InstanceId;
import dev.stapes.model.InstanceInfo;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.InstanceType;
import dev.stapes.model.Lifetime;
import dev.stapes.spi.VolumeId;
import java.time.Instant;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What the store keeps of an instance.
 *
 * @param id fixed
 * @param name unique
 * @param type enum name
 * @param description free text
 * @param lifetime enum name
 * @param image fingerprint, or null
 * @param templates hash of those of the image, or null
 * @param pool of the root disk
 * @param volume name of the root disk's volume
 * @param config texts by key
 * @param devices Incus's keys by device name, with the root disk
 * @param createdAt ISO-8601
 * @param lastStartedAt ISO-8601, or null
 */
record InstanceRecord(
    String id,
    String name,
    InstanceType type,
    String description,
    Lifetime lifetime,
    @Nullable String image,
    @Nullable String templates,
    String pool,
    String volume,
    SortedMap<String, String> config,
    SortedMap<String, SortedMap<String, String>> devices,
    String createdAt,
    @Nullable String lastStartedAt) {
  InstanceRecord {
    config = Collections.unmodifiableSortedMap(config);
    devices = Collections.unmodifiableSortedMap(devices);
  }

  @JsonIgnore
  InstanceId instanceId() {
    return new InstanceId(id);
  }

  @JsonIgnore
  VolumeId volumeId() {
    return new VolumeId(VolumeId.Kind.INSTANCE, volume);
  }

  @JsonIgnore
  boolean isThrowaway() {
    return lifetime == Lifetime.THROWAWAY;
  }

  @JsonIgnore
  String subject() {
    return "instance " + name;
  }

  Config typedConfig() {
    return Config.of(config);
  }

  SortedMap<String, Device> typedDevices() {
    return devicesOf(devices);
  }

  Device.Disk rootDisk() {
    return typedDevices().values().stream()
        .filter(device -> device instanceof Device.Disk disk && disk.isRoot())
        .map(Device.Disk.class::cast)
        .findAny()
        .orElseThrow(() -> new IllegalStateException(subject() + " has no root disk"));
  }

  InstanceRecord withName(String newName) {
    return new InstanceRecord(
        id,
        newName,
        type,
        description,
        lifetime,
        image,
        templates,
        pool,
        volume,
        config,
        devices,
        createdAt,
        lastStartedAt);
  }

  InstanceRecord withVolume(String newVolume) {
    return new InstanceRecord(
        id,
        name,
        type,
        description,
        lifetime,
        image,
        templates,
        pool,
        newVolume,
        config,
        devices,
        createdAt,
        lastStartedAt);
  }

  InstanceRecord with(
      String newDescription,
      Map<String, String> newConfig,
      SortedMap<String, SortedMap<String, String>> newDevices) {
    return new InstanceRecord(
        id,
        name,
        type,
        newDescription,
        lifetime,
        image,
        templates,
        pool,
        volume,
        new TreeMap<>(newConfig),
        newDevices,
        createdAt,
        lastStartedAt);
  }

  InstanceRecord startedAt(Instant at) {
    return new InstanceRecord(
        id,
        name,
        type,
        description,
        lifetime,
        image,
        templates,
        pool,
        volume,
        config,
        devices,
        createdAt,
        at.toString());
  }

  InstanceInfo toInfo(InstanceStatus status, long revision) {
    return new InstanceInfo(
        instanceId(),
        name,
        type,
        status,
        description,
        lifetime,
        Optional.ofNullable(image),
        pool,
        typedConfig(),
        typedDevices(),
        Instant.parse(createdAt),
        Optional.ofNullable(lastStartedAt).map(Instant::parse),
        revision);
  }

  static SortedMap<String, Device> devicesOf(SortedMap<String, SortedMap<String, String>> devices) {
    SortedMap<String, Device> typed = new TreeMap<>();
    devices.forEach((device, keys) -> typed.put(device, Device.parse(device, keys)));
    return typed;
  }

  static SortedMap<String, SortedMap<String, String>> textsOf(Map<String, Device> devices) {
    SortedMap<String, SortedMap<String, String>> texts = new TreeMap<>();
    devices.forEach((name, device) -> texts.put(name, device.toConfig()));
    return texts;
  }
}
