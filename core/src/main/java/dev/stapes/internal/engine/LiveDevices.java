package dev.stapes.internal.engine;

import dev.stapes.model.Device;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.InstanceDriver;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/** Which devices of a running machine change with its record. */
final class LiveDevices {
  private LiveDevices() {}

  /**
   * Names of the devices that come, go or become others; limits can change in any case.
   *
   * @throws StapesException BUSY where a machine of this driver cannot do that while it runs
   */
  static Set<String> changed(InstanceDriver driver, InstanceRecord before, InstanceRecord after) {
    SortedMap<String, Device> old = before.typedDevices();
    SortedMap<String, Device> now = after.typedDevices();
    TreeMap<String, Device> all = new TreeMap<>(old);
    all.putAll(now);
    TreeSet<String> changed = new TreeSet<>();
    for (String name : all.keySet()) {
      Optional<Device> was = real(old, name);
      Optional<Device> is = real(now, name);
      if (was.map(LiveDevices::withoutLimits).equals(is.map(LiveDevices::withoutLimits))) {
        continue;
      }
      if (isRoot(was) || isRoot(is) || !driver.changesLive(was, is)) {
        throw new StapesException(
            Kind.BUSY,
            before.subject(),
            "device " + name + " cannot change while the instance runs: stop it first");
      }
      changed.add(name);
    }
    return changed;
  }

  private static Optional<Device> real(SortedMap<String, Device> devices, String name) {
    return Optional.ofNullable(devices.get(name)).filter(each -> !(each instanceof Device.None));
  }

  private static boolean isRoot(Optional<Device> device) {
    return device.filter(each -> each instanceof Device.Disk disk && disk.isRoot()).isPresent();
  }

  /** What it boots from matters at the next start. */
  private static Object withoutLimits(Device device) {
    if (device instanceof Device.Nic nic) {
      return nic.withoutBootPriority();
    }
    return device instanceof Device.Disk disk
        ? new Device.Disk(
            disk.path(),
            disk.source(),
            disk.pool(),
            Optional.empty(),
            disk.readOnly(),
            disk.recursive(),
            disk.required(),
            Device.IoLimits.NONE,
            Optional.empty(),
            disk.io())
        : device;
  }
}
