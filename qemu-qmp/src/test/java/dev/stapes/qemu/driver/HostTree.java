package dev.stapes.qemu.driver;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Objects;

/**
 * A host whose devices are made of files and links.
 *
 * @param root with {@code sys} and {@code dev} in it
 */
record HostTree(Path root) {
  Path sys() {
    return root.resolve("sys");
  }

  Path dev() {
    return root.resolve("dev");
  }

  HostPci pci() {
    return host().pci();
  }

  HostUsb usb() {
    return host().usb();
  }

  /** As the driver knows it. */
  HostRoot host() {
    return new HostRoot(root);
  }

  /** A CPU of a socket, and what is with it on its core. */
  void cpu(int number, int socket, String core) throws IOException {
    Path topology = sys().resolve("devices/system/cpu/cpu" + number + "/topology");
    file(topology.resolve("physical_package_id"), Integer.toString(socket));
    file(topology.resolve("core_cpus_list"), core);
  }

  /** A file with a line, whatever is above it. */
  Path file(Path file, String content) throws IOException {
    Files.createDirectories(Objects.requireNonNull(file.getParent()));
    return Files.writeString(file, content + "\n");
  }

  /** A PCI device in an IOMMU group. */
  Path device(String address, String group) throws IOException {
    Path device = Files.createDirectories(sys().resolve("bus/pci/devices").resolve(address));
    Path all =
        Files.createDirectories(
            sys().resolve("kernel/iommu_groups").resolve(group).resolve("devices"));
    Files.createSymbolicLink(
        device.resolve("iommu_group"), Objects.requireNonNull(all.getParent()));
    Files.createSymbolicLink(all.resolve(address), device);
    return device;
  }

  /** Binds a device to a driver. */
  void bind(Path device, String driver) throws IOException {
    Path directory = Files.createDirectories(sys().resolve("bus/pci/drivers").resolve(driver));
    Files.deleteIfExists(device.resolve("driver"));
    Files.createSymbolicLink(device.resolve("driver"), directory);
  }

  /** The nodes of VFIO, which the kernel makes. */
  Path vfio(String group) throws IOException {
    Path all = file(dev().resolve("vfio/vfio"), "");
    Files.setPosixFilePermissions(all, PosixFilePermissions.fromString("rw-rw-rw-"));
    return file(dev().resolve("vfio").resolve(group), "");
  }

  /** A USB device on bus 1, and its node. */
  Path usb(String name, int number, String serial) throws IOException {
    Path device = sys().resolve("bus/usb/devices").resolve(name);
    file(device.resolve("idVendor"), "046d");
    file(device.resolve("idProduct"), "c31c");
    file(device.resolve("serial"), serial);
    file(device.resolve("busnum"), "1");
    file(device.resolve("devnum"), Integer.toString(number));
    return file(dev().resolve("bus/usb/001/" + "0".repeat(number > 9 ? 1 : 2) + number), "");
  }
}
