package dev.stapes.qemu.driver;

import static dev.stapes.qemu.driver.Specs.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.Device;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Machine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PluggedDeviceTest {
  @TempDir Path directory;

  private static Machine.Spec with(String name, Device device, Path source) {
    Machine.Spec spec = Specs.of(Map.of(name, device));
    Machine.Disk disk = new Machine.Disk(source, Optional.empty(), Device.IoLimits.NONE);
    return spec.with(spec.root(), Map.of(name, disk));
  }

  private static SortedMap<String, String> of(Machine.Spec spec) throws IOException {
    return PluggedDevice.of(spec, UnaryOperator.identity());
  }

  @Test
  void an_interface_is_its_address() throws IOException {
    Device.Nic nic = Device.Nic.p2p().address("02:AA:00:00:00:01");
    assertEquals(
        Map.of("dev-eth0", "address 02:aa:00:00:00:01"), of(Specs.of(Map.of("eth0", nic))));
  }

  @Test
  void a_disk_that_somebody_writes_to_is_another_one() throws IOException {
    Path file = Files.write(directory.resolve("data"), new byte[512]);
    Device.Disk device = Device.disk("/data", disk -> disk.source("/x"));
    SortedMap<String, String> before = of(with("data", device, file));
    assertTrue(before.getOrDefault("disk-data", "").startsWith("512 bytes of "), before.toString());
    assertEquals(before, of(with("data", device, file)));
    Files.setLastModifiedTime(file, FileTime.fromMillis(0));
    assertNotEquals(before, of(with("data", device, file)));
    Device.Disk readOnly = Device.disk("/data", disk -> disk.source("/x").readOnly());
    assertTrue(of(with("data", readOnly, file)).toString().endsWith(", read-only}"));
    assertEquals(Map.of("share-data", "a directory"), of(with("data", device, directory)));
    Device.Disk scsi =
        Device.disk("/data", disk -> disk.source("/x").bus(Device.DiskIo.Bus.VIRTIO_SCSI));
    assertTrue(of(with("data", scsi, file)).toString().endsWith(", on virtio-scsi}"));
    Device.Disk blk =
        Device.disk("/data", disk -> disk.source("/x").bus(Device.DiskIo.Bus.VIRTIO_BLK));
    assertEquals(of(with("data", device, file)), of(with("data", blk, file)));
    Device.Disk nvme = Device.disk("/data", disk -> disk.source("/x").bus(Device.DiskIo.Bus.NVME));
    refused(Kind.CONFLICT, "io.bus nvme", () -> failing(with("data", nvme, file)));
    refused(
        Kind.CONFLICT,
        "device data: nobody sees whether a block device is written to",
        () -> failing(with("data", device, Path.of("/dev/null"))));
  }

  @Test
  void a_disk_that_cannot_be_reached_is_no_disk_of_saved_memory() {
    Device.Disk device = Device.disk("/data", disk -> disk.source("/x"));
    refused(
        Kind.UNAVAILABLE,
        "source of device data is missing",
        () -> failing(Specs.of(Map.of("data", device))));
  }

  private static void failing(Machine.Spec spec) {
    try {
      of(spec);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void what_a_machine_has_is_what_its_config_says() {
    TreeMap<String, String> specified = new TreeMap<>(Map.of("dev-eth0", "address x"));
    assertEquals(
        List.of(new PluggedDevice("dev-eth0", "slot1", "address x")),
        PluggedDevice.all("vm", "it cannot move", Map.of("dev-eth0", "slot1"), specified));
    refused(
        Kind.CONFLICT,
        "it cannot move: it lacks device dev-eth0",
        () -> PluggedDevice.all("vm", "it cannot move", Map.of(), specified));
    refused(
        Kind.CONFLICT,
        "it cannot move while it has device cpu-1",
        () ->
            PluggedDevice.all(
                "vm", "it cannot move", Map.of("dev-eth0", "slot1", "cpu-1", "slot2"), specified));
  }
}
