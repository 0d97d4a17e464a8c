package dev.stapes.qemu.driver;

import java.nio.file.Path;

/**
 * Where the kernel tells of the host's devices and processes. Tests have directories of their own.
 *
 * @param path the root directory
 */
record HostRoot(Path path) {
  /** That of this machine. */
  static final HostRoot MACHINE = new HostRoot(Path.of("/"));

  /** Where sysfs is. */
  Path sys() {
    return path.resolve("sys");
  }

  /** Where the nodes of devices are. */
  Path dev() {
    return path.resolve("dev");
  }

  /** Where procfs is. */
  Path proc() {
    return path.resolve("proc");
  }

  /** What it tells of a process. */
  Path process(long pid) {
    return proc().resolve(Long.toString(pid));
  }

  /** What it tells of network interfaces. */
  Path interfaces() {
    return sys().resolve("class/net");
  }

  /** PCI devices. */
  HostPci pci() {
    return new HostPci(sys(), dev());
  }

  /** USB devices. */
  HostUsb usb() {
    return new HostUsb(sys(), dev());
  }

  /** CPUs. */
  HostCpus cpus() {
    return new HostCpus(sys());
  }

  /** The nodes of IOMMU groups. */
  VfioGroups vfio() {
    return new VfioGroups(dev().resolve("vfio"));
  }

  /** The node of KVM. */
  Path kvm() {
    return dev().resolve("kvm");
  }

  /** The node by which guests are given sockets. */
  Path vsock() {
    return dev().resolve("vhost-vsock");
  }
}
