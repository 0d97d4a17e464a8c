package dev.stapes.qemu.driver;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Optional;
import java.util.Set;

/**
 * PCI devices of the host that VFIO can give away. A guest gets one with the whole of its IOMMU
 * group: no driver of the host may have another device of it.
 *
 * @param sys where sysfs is
 * @param dev where the nodes of devices are
 */
record HostPci(Path sys, Path dev) {
  private static final String VFIO = "vfio-pci";

  /** Those of the kernel that leave a group to VFIO: its documentation, vfio.rst, and drivers. */
  private static final Set<String> HARMLESS = Set.of(VFIO, "pcieport", "pci-stub");

  /**
   * The node of the group of a device.
   *
   * @param subject for the error
   * @param address with its domain
   * @throws StapesException NOT_FOUND, UNSUPPORTED or UNAVAILABLE, with what to do
   */
  Path group(String subject, String address) {
    Path device = sys.resolve("bus/pci/devices").resolve(address);
    if (!Files.exists(device)) {
      throw new StapesException(
          Kind.NOT_FOUND, subject, "the host has no PCI device \"" + address + "\"");
    }
    Path group =
        HostSysfs.target(device.resolve("iommu_group"))
            .orElseThrow(
                () ->
                    new StapesException(
                        Kind.UNSUPPORTED,
                        subject,
                        "the host has no IOMMU for \""
                            + address
                            + "\", which VFIO needs: it is switched on in its firmware, and with"
                            + " intel_iommu=on or amd_iommu=on among the arguments of its kernel"));
    requireDriver(subject, address, device);
    requireRest(subject, address, group);
    return node(subject, HostSysfs.name(group));
  }

  private static Optional<String> driver(Path device) {
    return HostSysfs.target(device.resolve("driver")).map(HostSysfs::name);
  }

  private static void requireDriver(String subject, String address, Path device) {
    Optional<String> driver = driver(device);
    if (!driver.equals(Optional.of(VFIO))) {
      throw unavailable(
          subject,
          "\""
              + address
              + "\" is bound to "
              + driver.map(name -> "\"" + name + "\"").orElse("no driver")
              + " and not to vfio-pci: give it away with driverctl(8), or by driver_override in"
              + " its directory in sysfs");
    }
  }

  private static void requireRest(String subject, String address, Path group) {
    for (Path other : HostSysfs.children(group.resolve("devices"), ".+")) {
      Optional<String> driver = driver(other).filter(name -> !HARMLESS.contains(name));
      if (driver.isPresent()) {
        throw unavailable(
            subject,
            "\""
                + address
                + "\" goes with all of its IOMMU group, of which the host uses \""
                + HostSysfs.name(other)
                + "\" with \""
                + driver.get()
                + "\"");
      }
    }
  }

  private Path node(String subject, String group) {
    Path vfio = dev.resolve("vfio");
    Path node = vfio.resolve(group);
    if (!Files.exists(node)) {
      throw unavailable(subject, "there is no " + node + ": load the module vfio_pci");
    }
    Path all = vfio.resolve("vfio");
    try {
      if (!Files.getPosixFilePermissions(all)
          .containsAll(Set.of(PosixFilePermission.OTHERS_READ, PosixFilePermission.OTHERS_WRITE))) {
        throw new StapesException(
            Kind.DENIED,
            subject,
            "QEMU, which runs as a user of its own, may not open "
                + all
                + ": the kernel makes it with mode 0666");
      }
    } catch (IOException e) {
      throw IoFailure.of(subject, all.toString(), e);
    }
    return node;
  }

  private static StapesException unavailable(String subject, String why) {
    return new StapesException(Kind.UNAVAILABLE, subject, why);
  }
}
