package dev.stapes.qemu.driver;

import static dev.stapes.qemu.driver.Specs.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stapes.model.Device;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Machine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which devices of a host can be given away, and as what. */
class HostPassthroughTest {
  private static final String CARD = "0000:01:00.0";

  @TempDir Path root;

  private HostTree host() {
    return new HostTree(root);
  }

  private static Machine.Spec wanting(String address) {
    TreeMap<String, String> keys = new TreeMap<>(Map.of("address", address));
    return Specs.of(Map.of("card", new Device.Raw("pci", keys)));
  }

  private void refusedCard(Kind kind, String words) {
    refused(kind, words, () -> host().pci().group("device card", CARD));
  }

  @Test
  void a_host_without_the_device_or_an_iommu_says_so() throws IOException {
    refusedCard(Kind.NOT_FOUND, "device card: the host has no PCI device \"" + CARD + "\"");
    host().file(host().sys().resolve("bus/pci/devices").resolve(CARD).resolve("vendor"), "0x10de");
    refusedCard(Kind.UNSUPPORTED, "intel_iommu=on");
  }

  @Test
  void a_device_is_given_when_vfio_has_it_and_all_of_its_group() throws IOException {
    HostTree host = host();
    Path card = host.device(CARD, "7");
    Path sound = host.device("0000:01:00.1", "7");
    host.bind(host.device("0000:00:01.0", "7"), "pcieport");
    host.device("0000:01:00.2", "7"); // without a driver
    refusedCard(Kind.UNAVAILABLE, "bound to no driver and not to vfio-pci");
    host.bind(card, "nouveau");
    refusedCard(Kind.UNAVAILABLE, "bound to \"nouveau\" and not to vfio-pci");
    host.bind(card, "vfio-pci");
    host.bind(sound, "snd_hda_intel");
    refusedCard(Kind.UNAVAILABLE, "\"0000:01:00.1\" with \"snd_hda_intel\"");
    host.bind(sound, "vfio-pci");
    refusedCard(Kind.UNAVAILABLE, "load the module vfio_pci");
    Path node = host.vfio("7");
    assertEquals(node, host.pci().group("device card", CARD));
    VmHostDevices.require(wanting(CARD), host.pci());
    refused(
        Kind.NOT_FOUND,
        "device card: the host has no PCI device \"0000:02:00.0\"",
        () -> VmHostDevices.require(wanting("02:00.0"), host.pci()));
    Files.setPosixFilePermissions(
        host.dev().resolve("vfio/vfio"), PosixFilePermissions.fromString("rw-rw----"));
    refusedCard(Kind.DENIED, "mode 0666");
    Files.delete(host.dev().resolve("vfio/vfio"));
    refusedCard(Kind.INTERNAL, "vfio/vfio");
  }

  @Test
  void usb_devices_are_those_that_have_all_of_what_is_asked_for() throws IOException {
    HostTree host = host();
    assertEquals(List.of(), host.usb().find(Map.of("vendorid", "046d")));
    Path one = host.usb("1-2", 3, "a B");
    Path other = host.usb("1-3.1", 12, "other");
    host.file(host.sys().resolve("bus/usb/devices/usb1/idVendor"), "046d"); // a root hub
    assertEquals(List.of(one, other), host.usb().find(Map.of("vendorid", "046D")));
    assertEquals(List.of(one), host.usb().find(Map.of("productid", "c31C", "serial", "a B")));
    assertEquals(List.of(), host.usb().find(Map.of("serial", "a b")));
    assertEquals(List.of(other), host.usb().find(Map.of("busnum", "1", "devnum", "12")));
    assertEquals(List.of(), host.usb().find(Map.of("busnum", "2", "devnum", "12")));
  }

  @Test
  void qemu_is_asked_for_the_address_and_for_the_descriptor() {
    assertEquals(
        "{\"driver\":\"vfio-pci\",\"id\":\"host-card\",\"host\":\"" + CARD + "\"}",
        VmHostDevices.vfio("card", CARD, true).build().arguments().toString());
    assertEquals(
        "{\"driver\":\"vfio-pci\",\"id\":\"host-card\",\"host\":\"" + CARD + "\",\"rombar\":0}",
        VmHostDevices.vfio("card", CARD, false).build().arguments().toString());
    assertEquals(
        "{\"driver\":\"usb-host\",\"bus\":\"b.0\",\"id\":\"u\",\"hostdevice\":\"/dev/fdset/4\"}",
        VmHostDevices.usb("u", "b", 4).build().arguments().toString());
  }
}
