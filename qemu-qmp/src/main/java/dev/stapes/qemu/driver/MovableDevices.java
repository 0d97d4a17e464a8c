package dev.stapes.qemu.driver;

import dev.stapes.model.Device;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Machine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/**
 * Which devices a machine takes along when it moves on one host: network interfaces with their
 * addresses, and what both emulators can open there.
 */
final class MovableDevices {
  private static final int TYPE_BITS = 0170000;
  private static final int BLOCK = 0060000;

  private MovableDevices() {}

  /**
   * What a spec has, by the ids of QEMU: the same words are the same device.
   *
   * @param local where this JVM finds a path of the host
   * @throws StapesException UNSUPPORTED, naming the device that does not move; CONFLICT for a disk
   *     of which QEMU knows no state
   */
  static SortedMap<String, String> of(Machine.Spec spec, UnaryOperator<Path> local)
      throws IOException {
    DiskBus.requireSavable(spec);
    TreeMap<String, String> all = new TreeMap<>();
    for (Map.Entry<String, Device> each : spec.devices().entrySet()) {
      String name = each.getKey();
      Device device = each.getValue();
      if (device instanceof Device.Nic nic) {
        all.put(VmNics.device(name), nic(spec, name, nic));
      } else if (device instanceof Device.Disk disk) {
        all.put(DiskId.of(name).disk(), disk(spec, name, disk, local));
      } else if (device instanceof Device.Tpm) {
        throw refused(spec, name, "the state of a TPM stays where it is");
      } else if (HostDevices.isOne(device)) {
        throw refused(spec, name, "it is one of the host, which another emulator has in use");
      }
    }
    return all;
  }

  private static String nic(Machine.Spec spec, String name, Device.Nic nic) {
    if (nic.hostName().isPresent()) {
      throw refused(
          spec,
          name,
          "its name on the host is in use until it has moved, let it be chosen: \""
              + nic.hostName().get()
              + "\"");
    }
    return NicIdentity.seenInside(spec, name, nic);
  }

  private static String disk(
      Machine.Spec spec, String name, Device.Disk disk, UnaryOperator<Path> local)
      throws IOException {
    Machine.Disk source = spec.disks().get(name);
    if (source == null) {
      throw new StapesException(
          Kind.UNAVAILABLE,
          "instance " + spec.name(),
          "source of device " + name + " is missing: \"" + disk.source().orElse("") + "\"");
    }
    Path path = local.apply(source.path());
    BasicFileAttributes found = Files.readAttributes(path, BasicFileAttributes.class);
    String how =
        disk.io().bus().map(bus -> ", on " + bus.text()).orElse("")
            + (disk.readOnly() ? ", read-only" : "");
    if (found.isRegularFile()) {
      return "file " + found.fileKey() + " of " + found.size() + " bytes" + how;
    }
    if (found.isDirectory()) {
      throw refused(spec, name, "a directory is shared by a process beside its emulator");
    }
    int mode = ((Number) Files.getAttribute(path, "unix:mode")).intValue();
    if ((mode & TYPE_BITS) != BLOCK) {
      throw refused(spec, name, "it is no file and no block device");
    }
    return "block device " + Files.getAttribute(path, "unix:rdev") + how;
  }

  private static StapesException refused(Machine.Spec spec, String device, String why) {
    return new StapesException(
        Kind.UNSUPPORTED,
        "instance " + spec.name(),
        "its device " + device + " does not move: " + why + ": remove it first");
  }
}
