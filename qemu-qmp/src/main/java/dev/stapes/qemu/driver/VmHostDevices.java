package dev.stapes.qemu.driver;

import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.stapes.linux.Fd;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.Device;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.qmp.qemu.AddFd;
import dev.stapes.qmp.qemu.DeviceAdd;
import dev.stapes.spi.Machine;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Devices of the host that a machine has from its start. Tried with files in the place of nodes: no
 * test has a host with an IOMMU or with USB.
 */
final class VmHostDevices {
  private static final Logger LOG = LoggerFactory.getLogger(VmHostDevices.class);

  /** The ports of a qemu-xhci. */
  static final int MOST_USB = 4;

  private final Syscalls sys;
  private final String subject;
  private final HotPlug slots;
  private final HostPci pci;
  private final HostUsb usb;

  VmHostDevices(Syscalls sys, String subject, HotPlug slots, HostPci pci, HostUsb usb) {
    this.sys = sys;
    this.subject = subject;
    this.slots = slots;
    this.pci = pci;
    this.usb = usb;
  }

  /**
   * Fails where the host cannot give what a machine wants of PCI, before anything is started.
   *
   * @throws StapesException NOT_FOUND, UNAVAILABLE or UNSUPPORTED, with what the host lacks
   */
  static void require(Machine.Spec spec, HostPci pci) {
    spec.devices()
        .forEach(
            (name, device) -> {
              if (device.type().equals("pci")) {
                pci.group("device " + name, HostDevices.address(device));
              }
            });
  }

  /** Those of a host. */
  static VmHostDevices of(Syscalls sys, String subject, HotPlug slots, HostRoot root) {
    return new VmHostDevices(sys, subject, slots, root.pci(), root.usb());
  }

  /**
   * Adds one.
   *
   * @param user of QEMU
   * @throws StapesException NOT_FOUND, UNAVAILABLE or UNSUPPORTED, with what the host lacks
   */
  void plug(String name, Device device, long user) {
    if (device.type().equals("pci")) {
      plugPci(name, device, user);
    } else {
      plugUsb(name, device);
    }
  }

  /** QEMU opens the node of a group by itself, and knows no other way. */
  private void plugPci(String name, Device device, long user) {
    String address = HostDevices.address(device);
    VfioGroups.give(subject, pci.group("device " + name, address), user);
    slots.add(vfio(name, address, HostDevices.hasFirmware(device)));
  }

  /** What QEMU is asked for. */
  static DeviceAdd.Builder vfio(String name, String address, boolean firmware) {
    DeviceAdd.Builder vfio =
        DeviceAdd.builder("vfio-pci")
            .id("host-" + name)
            .unknownMember("host", TextNode.valueOf(address));
    return firmware ? vfio : vfio.unknownMember("rombar", IntNode.valueOf(0));
  }

  private void plugUsb(String name, Device device) {
    Map<String, String> wanted = HostDevices.usbOf(device);
    List<Path> nodes = usb.find(wanted);
    if (nodes.isEmpty()) {
      if (HostDevices.isRequired(device)) {
        throw new StapesException(
            Kind.NOT_FOUND, "device " + name, "no USB device of the host has " + wanted);
      }
      LOG.warn("{}: starts without device {}: no USB device has {}", subject, name, wanted);
      return;
    }
    if (nodes.size() > MOST_USB) {
      throw new StapesException(
          Kind.UNSUPPORTED,
          "device " + name,
          "it is at most " + MOST_USB + " USB devices of the host, and there are " + nodes.size());
    }
    String controller = "hostbus-" + name;
    slots.add(DeviceAdd.builder("qemu-xhci").id(controller));
    for (int i = 0; i < nodes.size(); i++) {
      long set = pass(name, nodes.get(i));
      slots.monitor().execute(usb("hostusb-" + name + "-" + i, controller, set).build());
    }
  }

  /** What QEMU is asked for. */
  static DeviceAdd.Builder usb(String id, String controller, long set) {
    return DeviceAdd.builder("usb-host")
        .id(id)
        .bus(controller + ".0")
        .unknownMember("hostdevice", TextNode.valueOf("/dev/fdset/" + set));
  }

  private long pass(String name, Path node) {
    try (Fd fd = Fd.open(sys, node, Set.of(OpenFlag.READ, OpenFlag.WRITE))) {
      AddFd add = AddFd.builder().opaque("host-" + name).build();
      return slots.monitor().execute(add, fd).fdsetId();
    } catch (LinuxException e) {
      throw new StapesException(
          Kind.UNAVAILABLE, "device " + name, node + " cannot be opened: " + e.getMessage(), e);
    }
  }
}
