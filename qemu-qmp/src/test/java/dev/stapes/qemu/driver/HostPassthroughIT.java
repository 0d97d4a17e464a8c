package dev.stapes.qemu.driver;

import static dev.stapes.qemu.driver.Specs.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.Device;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * How far a QEMU gets with devices of a host that are files: it is told of each, has its node, and
 * says that it is none.
 */
@RequiresRoot
@RequiresTool("qemu-system-x86_64")
@Timeout(120)
class HostPassthroughIT {
  private static final long USER = 1_900_000_003L;
  private static final String[] PORTS = {
    "-device", "pcie-root-port,id=slot0,chassis=1", "-device", "pcie-root-port,id=slot1,chassis=2"
  };

  @TempDir Path directory;

  private static int owner(Path file) throws Exception {
    return ((Number) Files.getAttribute(file, "unix:uid")).intValue();
  }

  private VmHostDevices devices(HostTree host, BareQemu qemu) {
    return new VmHostDevices(BareQemu.SYS, "instance vm", slots(qemu), host.pci(), host.usb());
  }

  private static HotPlug slots(BareQemu qemu) {
    return new HotPlug("instance vm", qemu.monitor());
  }

  private static Device usb(String... more) {
    TreeMap<String, String> keys = new TreeMap<>(Map.of("vendorid", "046d"));
    for (int i = 0; i < more.length; i += 2) {
      keys.put(more[i], more[i + 1]);
    }
    return new Device.Raw("usb", keys);
  }

  @Test
  void the_group_of_a_pci_device_is_its_users_until_the_machine_is_removed() throws Exception {
    HostTree host = new HostTree(Files.createDirectory(directory.resolve("host")));
    String address = "ffff:ff:1f.7"; // which no host has
    host.bind(host.device(address, "7"), "vfio-pci");
    Path node = host.vfio("7");
    Path other = host.vfio("8");
    VfioGroups.give("vm", other, USER + 1);
    refused(Kind.BUSY, "another machine", () -> VfioGroups.give("vm", other, USER));
    Device card = new Device.Raw("pci", new TreeMap<>(Map.of("address", address)));
    try (BareQemu qemu = BareQemu.board(directory, "qemu-system-x86_64", PORTS)) {
      refused(Kind.INTERNAL, address, () -> devices(host, qemu).plug("card", card, USER));
      assertFalse(slots(qemu).has("host-card"));
    }
    assertEquals((int) USER, owner(node));
    Path machine = Files.createDirectory(directory.resolve("machine"));
    VfioGroups groups = new VfioGroups(host.dev().resolve("vfio"));
    groups.takeFromOwnerOf(machine); // of root, who has given nothing to itself
    assertEquals((int) USER, owner(node));
    Files.setAttribute(machine, "unix:uid", (int) USER);
    groups.takeFromOwnerOf(machine);
    assertEquals(0, owner(node));
    assertEquals((int) USER + 1, owner(other));
    new VfioGroups(directory.resolve("none")).takeFromOwnerOf(machine);
    refused(
        Kind.INTERNAL, "missing", () -> VfioGroups.give("vm", node.resolveSibling("missing"), 1));
  }

  @Test
  void usb_devices_get_to_qemu_as_descriptors_on_a_controller_of_their_own() throws Exception {
    HostTree host = new HostTree(Files.createDirectory(directory.resolve("host")));
    try (BareQemu qemu = BareQemu.board(directory, "qemu-system-x86_64", PORTS)) {
      VmHostDevices devices = devices(host, qemu);
      devices.plug("stick", usb("required", "false"), USER); // none is there
      assertFalse(slots(qemu).has("hostbus-stick"));
      refused(
          Kind.NOT_FOUND,
          "device stick: no USB device of the host has {vendorid=046d}",
          () -> devices.plug("stick", usb("required", "true"), USER));
      Path node = host.usb("1-2", 3, "one");
      refused(
          Kind.INTERNAL,
          "failed to open host usb device /dev/fdset/", // and not: failed to open the file
          () -> devices.plug("stick", usb(), USER));
      assertTrue(slots(qemu).has("hostbus-stick"));
      Files.delete(node);
      refused(
          Kind.UNAVAILABLE,
          "001/003 cannot be opened",
          () -> devices.plug("gone", usb("devnum", "3"), USER));
      for (int i = 4; i < 8; i++) {
        host.usb("1-" + i, i, "more");
      }
      refused(Kind.UNSUPPORTED, "there are 5", () -> devices.plug("all", usb(), USER));
    }
  }
}
