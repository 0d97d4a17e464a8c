package dev.stapes.internal.engine;

import dev.stapes.model.Device;
import dev.stapes.model.InstanceType;
import dev.stapes.model.StapesException;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A custom volume, as a disk device names it. */
record VolumeUse(String pool, String volume) {
  /** Those that devices name. */
  static Stream<VolumeUse> of(Collection<Device> devices) {
    return devices.stream()
        .filter(device -> device instanceof Device.Disk disk && !disk.isRoot())
        .map(Device.Disk.class::cast)
        .filter(disk -> disk.pool().isPresent() && disk.source().isPresent())
        .map(disk -> new VolumeUse(disk.pool().get(), disk.volume().orElseThrow()));
  }

  /** To be held, shared, until a record that uses them is committed. */
  static Set<String> locks(Collection<Device> devices) {
    return of(devices)
        .flatMap(
            use ->
                Stream.of(Work.lockOfPool(use.pool()), Work.lockOfVolume(use.pool(), use.volume())))
        .collect(Collectors.toSet());
  }

  /**
   * Fails with NOT_FOUND where one of those that devices name does not exist, and with INVALID
   * where it is none for such a device of such an instance.
   */
  static void require(Catalog catalog, InstanceType type, Collection<Device> devices) {
    for (Device device : devices) {
      of(List.of(device))
          .forEach(
              use -> {
                VolumeRecord volume =
                    catalog
                        .volume(use.pool(), use.volume())
                        .orElseThrow(
                            () ->
                                StapesException.notFound(
                                    VolumeRecord.subject(use.pool(), use.volume())));
                requireFit(volume, type, (Device.Disk) device);
              });
    }
  }

  /** A disk is for virtual machines, and is mounted nowhere; all else has a path. */
  static void requireFit(VolumeRecord volume, InstanceType type, Device.Disk disk) {
    String what = "its content type is " + volume.contentType().text();
    if (!volume.isDisk()) {
      if (disk.path().isEmpty()) {
        throw StapesException.invalid(
            volume.subject(), what + ": a device of it needs a path in the instance");
      }
      return;
    }
    if (type != InstanceType.VIRTUAL_MACHINE) {
      throw StapesException.invalid(
          volume.subject(), what + ": it is for virtual machines, containers cannot have it");
    }
    if (!disk.path().isEmpty() || disk.subdirectory().isPresent()) {
      throw StapesException.invalid(
          volume.subject(),
          what
              + ": a device of it is a disk, which has no path: \""
              + disk.subdirectory().orElse(disk.path())
              + "\"");
    }
  }
}
