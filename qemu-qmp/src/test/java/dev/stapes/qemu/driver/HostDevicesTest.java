package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.Device;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Machine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is said of devices of a host whose sysfs is a directory. */
class HostDevicesTest {
  private static final Device PCI = device("pci", "address", "01:00.0");
  private static final Device USB = device("usb", "vendorid", "046d");

  @TempDir Path sys;

  private static Device device(String type, String... keys) {
    TreeMap<String, String> values = new TreeMap<>();
    for (int i = 0; i < keys.length; i += 2) {
      values.put(keys[i], keys[i + 1]);
    }
    return new Device.Raw(type, values);
  }

  private void refused(Kind kind, String words, Device device) {
    Specs.refused(kind, words, () -> new HostDevices(sys).validate("dev0", device));
  }

  private void file(String path, String content) throws IOException {
    Path file = sys.resolve(path);
    Files.createDirectories(Objects.requireNonNull(file.getParent()));
    Files.writeString(file, content + "\n");
  }

  static List<Device> wrong() {
    return List.of(
        device("pci"),
        device("pci", "address", ""),
        device("pci", "address", "1:2.3"),
        device("pci", "address", "0000:01:20.0"),
        device("pci", "address", "01:00.0", "firmware", "maybe"),
        device("pci", "address", "01:00.0", "mode", "0660"),
        device("usb"),
        device("usb", "required", "true"),
        device("usb", "vendorid", "12345"),
        device("usb", "vendorid", "046d", "uid", "0"),
        device("usb", "busnum", "0"),
        device("usb", "devnum", "-1"),
        device("usb", "vendorid", "046d", "attached", "no-one-knows"),
        device("usb", "vendorid", "046d", "color", "red"),
        device("gpu", "gputype", "virtual"),
        device("gpu", "gputype", "mig"),
        device("gpu", "gputype", "MIG"),
        device("gpu", "gputype", "mdev"),
        device("gpu", "mdev", "i915-GVTg_V5_4"),
        device("gpu", "blob.size", "1GiB"),
        device("gpu", "mode", "0660"),
        device("gpu", "pci", "01:00.0", "id", "0"),
        device("gpu", "pci", "01:00.0", "vendorid", "10de"),
        device("gpu", "id", "0", "productid", "1234"),
        device("gpu", "id", "first"));
  }

  @ParameterizedTest
  @MethodSource("wrong")
  void wrong_keys_are_named_before_the_host_is_looked_at(Device device) {
    StapesException e =
        assertThrows(StapesException.class, () -> new HostDevices(sys).validate("dev0", device));
    assertEquals(Kind.INVALID, e.kind(), e.toString());
    assertEquals("device dev0", e.subject());
  }

  @Test
  void keys_that_are_right_are_taken_whatever_the_host_has() {
    HostDevices devices = new HostDevices(sys);
    devices.validate("dev0", device("pci", "address", "01:00.0", "firmware", "no"));
    devices.validate("dev0", device("usb", "vendorid", "046d", "required", "yes"));
    refused(Kind.UNSUPPORTED, "no such GPU: {}", device("gpu"));
    refused(Kind.UNSUPPORTED, "no PCI device", device("gpu", "pci", "0000:0A:00.0"));
    refused(
        Kind.UNSUPPORTED,
        "no such GPU",
        device("gpu", "gputype", "mdev", "mdev", "i915-GVTg_V5_4", "vendorid", "8086"));
  }

  @Test
  void keys_have_the_defaults_of_incus() {
    assertEquals("0000:0a:1f.7", HostDevices.address(device("pci", "address", "0A:1f.7")));
    assertEquals("00ff:0a:00.0", HostDevices.address(device("pci", "address", "00FF:0A:00.0")));
    assertTrue(HostDevices.hasFirmware(device("pci", "address", "01:00.0")));
    assertTrue(HostDevices.hasFirmware(device("pci", "address", "01:00.0", "firmware", "ON")));
    assertFalse(HostDevices.hasFirmware(device("pci", "address", "01:00.0", "firmware", "0")));
    Device usb = device("usb", "serial", "a", "attached", "true", "required", "");
    assertFalse(HostDevices.isRequired(usb));
    assertEquals(Map.of("serial", "a"), HostDevices.usbOf(usb));
    assertTrue(HostDevices.isRequired(device("usb", "serial", "a", "required", "True")));
  }

  @Test
  void a_gpu_is_one_alone() throws IOException {
    file("class/drm/card0/device/vendor", "0x8086");
    file("class/drm/card0-HDMI-A-1/status", "connected");
    refused(Kind.UNSUPPORTED, "type pci, with its address: \"card0\"", device("gpu"));
    file("class/drm/card1/device/vendor", "0x10de");
    file("class/drm/card1/device/device", "0x1c82");
    refused(Kind.UNSUPPORTED, "the host has more: 2", device("gpu"));
    refused(
        Kind.UNSUPPORTED,
        "type pci, with its address: \"card1\"",
        device("gpu", "vendorid", "10de"));
    refused(
        Kind.UNSUPPORTED,
        "type pci, with its address: \"card1\"",
        device("gpu", "productid", "1C82"));
    refused(Kind.UNSUPPORTED, "type pci, with its address: \"card0\"", device("gpu", "id", "0"));
    refused(Kind.UNSUPPORTED, "no such GPU", device("gpu", "id", "2"));
  }

  @Test
  void a_gpu_with_an_address_is_a_pci_device() throws IOException {
    file("bus/pci/devices/0000:01:00.0/vendor", "0x10de");
    refused(Kind.UNSUPPORTED, "type pci", device("gpu", "pci", "01:00.0"));
  }

  @Test
  void a_plan_has_a_slot_for_each_and_a_microvm_has_none() {
    assertTrue(HostDevices.isOne(device("gpu")));
    assertFalse(HostDevices.isOne(new Device.Tpm()));
    Specs.refused(
        Kind.INVALID, "device dev0", () -> Specs.plan(Specs.of(Map.of("dev0", device("pci")))));
    Machine.Spec spec = Specs.of(Map.of("card", PCI, "stick", USB));
    assertEquals(QemuArguments.FREE_SLOTS + 2, Specs.plan(spec).slots());
    String[] small = {"qemu.machine", "microvm", "qemu.kernel", "/k"};
    Specs.refused(
        Kind.UNSUPPORTED,
        "device stick: a machine of type microvm has no devices of the host",
        () -> Specs.plan(Specs.of(Map.of("stick", USB), small)));
  }

  @Test
  void memory_is_not_saved_beside_one_and_is_locked_for_one_of_pci() {
    long most = 1L << 30;
    HostDevices.requireNone(Specs.of());
    assertEquals(OptionalLong.empty(), HostDevices.locked(Specs.of(), most));
    Machine.Spec stick = Specs.of(Map.of("stick", USB));
    assertEquals(OptionalLong.empty(), HostDevices.locked(stick, most));
    Specs.refused(Kind.CONFLICT, "device stick is one", () -> HostDevices.requireNone(stick));
    Machine.Spec card = Specs.of(Map.of("card", PCI));
    assertEquals(OptionalLong.of(2L << 20), HostDevices.locked(card, most));
    StapesException e =
        assertThrows(StapesException.class, () -> PluggedDevice.of(card, UnaryOperator.identity()));
    assertEquals(Kind.CONFLICT, e.kind(), e::toString);
  }

  @Test
  void one_is_given_at_the_start_alone() {
    assertTrue(VmDevices.isOfStart(PCI));
    assertTrue(VmDevices.isOfStart(USB));
    assertFalse(VmDevices.isOfStart(Device.Nic.p2p()));
    assertFalse(VmDevices.isPluggable(USB));
  }
}
