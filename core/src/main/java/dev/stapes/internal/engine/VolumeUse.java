package dev.stapes.internal.engine;

import dev.stapes.model.Device;
import dev.stapes.model.StapesException;
import java.util.Collection;
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

  /** Fails with NOT_FOUND where one of those that devices name does not exist. */
  static void require(Catalog catalog, Collection<Device> devices) {
    of(devices)
        .forEach(
            use -> {
              if (catalog.volume(use.pool(), use.volume()).isEmpty()) {
                throw StapesException.notFound("volume " + use.pool() + "/" + use.volume());
              }
            });
  }
}
