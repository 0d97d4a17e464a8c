package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.Device;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is said of devices of a host whose sysfs is a directory. */
class HostDevicesTest {
  @TempDir Path sys;

  private static Device device(String type, String... keys) {
    TreeMap<String, String> values = new TreeMap<>();
    for (int i = 0; i < keys.length; i += 2) {
      values.put(keys[i], keys[i + 1]);
    }
    return new Device.Raw(type, values);
  }

  private void refused(Kind kind, String words, Device device) {
    Specs.refused(
        kind,
        words,
        () -> {
          throw new HostDevices(sys).refusal("dev0", device);
        });
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
        assertThrows(
            StapesException.class, () -> new HostDevices(sys).refusal("dev0", device).kind());
    assertEquals(Kind.INVALID, e.kind(), e.toString());
    assertEquals("device dev0", e.subject());
  }

  @Test
  void a_host_that_has_nothing_says_so() {
    refused(
        Kind.UNSUPPORTED, "no PCI device \"0000:01:00.0\"", device("pci", "address", "01:00.0"));
    refused(Kind.UNSUPPORTED, "{vendorid=046d}", device("usb", "vendorid", "046d"));
    refused(Kind.UNSUPPORTED, "no such GPU: {}", device("gpu"));
    refused(Kind.UNSUPPORTED, "no PCI device", device("gpu", "pci", "0000:0A:00.0"));
    refused(
        Kind.UNSUPPORTED,
        "no such GPU",
        device("gpu", "gputype", "mdev", "mdev", "i915-GVTg_V5_4", "vendorid", "8086"));
  }

  @Test
  void what_vfio_needs_is_told() throws IOException {
    file("bus/pci/devices/0000:01:00.0/vendor", "0x10de");
    Device card = device("pci", "address", "0000:01:00.0", "firmware", "false");
    refused(Kind.UNSUPPORTED, "intel_iommu=on", card);
    file("bus/pci/devices/0000:01:00.0/iommu_group/type", "DMA");
    refused(Kind.UNSUPPORTED, "not passed through yet: \"0000:01:00.0\"", card);
  }

  @Test
  void a_usb_device_is_one_that_has_all_of_what_is_asked_for() throws IOException {
    file("bus/usb/devices/1-2/idVendor", "046d");
    file("bus/usb/devices/1-2/idProduct", "c31c");
    file("bus/usb/devices/1-2/serial", "a B");
    file("bus/usb/devices/1-2/busnum", "1");
    file("bus/usb/devices/1-2/devnum", "3");
    file("bus/usb/devices/usb1/idVendor", "1d6b");
    refused(Kind.UNSUPPORTED, "yet: \"1-2\"", device("usb", "vendorid", "046D", "serial", "a B"));
    refused(Kind.UNSUPPORTED, "yet: \"1-2\"", device("usb", "busnum", "1", "devnum", "3"));
    refused(Kind.UNSUPPORTED, "no USB device", device("usb", "busnum", "1", "devnum", "4"));
    refused(Kind.UNSUPPORTED, "no USB device", device("usb", "serial", "a b"));
    refused(Kind.UNSUPPORTED, "no USB device", device("usb", "vendorid", "1d6b"));
  }

  @Test
  void a_gpu_is_one_alone() throws IOException {
    file("class/drm/card0/device/vendor", "0x8086");
    file("class/drm/card0-HDMI-A-1/status", "connected");
    refused(Kind.UNSUPPORTED, "yet: \"card0\"", device("gpu"));
    file("class/drm/card1/device/vendor", "0x10de");
    file("class/drm/card1/device/device", "0x1c82");
    refused(Kind.UNSUPPORTED, "the host has more: 2", device("gpu"));
    refused(Kind.UNSUPPORTED, "yet: \"card1\"", device("gpu", "vendorid", "10de"));
    refused(Kind.UNSUPPORTED, "yet: \"card1\"", device("gpu", "productid", "1C82"));
    refused(Kind.UNSUPPORTED, "yet: \"card0\"", device("gpu", "id", "0"));
    refused(Kind.UNSUPPORTED, "no such GPU", device("gpu", "id", "2"));
  }

  @Test
  void a_plan_has_none() {
    assertTrue(HostDevices.isOne(device("gpu")));
    assertFalse(HostDevices.isOne(new Device.Tpm()));
    Specs.refused(
        Kind.INVALID,
        "device dev0",
        () -> VmPlan.of(Specs.of(Map.of("dev0", device("pci"))), Specs.HOST));
    Specs.refused(
        Kind.UNSUPPORTED,
        "no PCI device \"ffff:ff:1f.7\"",
        () ->
            VmPlan.of(
                Specs.of(Map.of("dev0", device("pci", "address", "ffff:ff:1f.7"))), Specs.HOST));
  }
}
