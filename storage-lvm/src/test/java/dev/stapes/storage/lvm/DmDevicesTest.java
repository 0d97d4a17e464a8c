package dev.stapes.storage.lvm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What sysfs says of devices of device-mapper. */
class DmDevicesTest {
  private final Path sysfs;

  DmDevicesTest(@TempDir Path sysfs) {
    this.sysfs = sysfs;
  }

  private void device(String kernel, String name, String... below) throws IOException {
    Path device = Files.createDirectories(sysfs.resolve("block").resolve(kernel));
    Files.writeString(Files.createDirectory(device.resolve("dm")).resolve("name"), name + "\n");
    Path slaves = Files.createDirectory(device.resolve("slaves"));
    for (String each : below) {
      Files.createSymbolicLink(slaves.resolve(each), Path.of("../../" + each));
    }
  }

  @Test
  void a_device_lies_on_what_is_below_it() throws IOException {
    device("dm-0", "vg-pool_tmeta", "loop3");
    device("dm-1", "vg-pool_tdata", "loop4", "sda");
    Files.createDirectories(sysfs.resolve("block/loop3"));
    assertEquals(Optional.of(Set.of("loop3")), DmDevices.below(sysfs, "vg-pool_tmeta"));
    assertEquals(Optional.of(Set.of("loop4", "sda")), DmDevices.below(sysfs, "vg-pool_tdata"));
    assertEquals(Optional.empty(), DmDevices.below(sysfs, "vg-pool"));
  }

  @Test
  void a_device_that_goes_meanwhile_and_a_machine_without_any_have_none() throws IOException {
    assertEquals(Optional.empty(), DmDevices.below(sysfs, "vg-pool"));
    Files.createDirectories(sysfs.resolve("block/dm-0"));
    assertEquals(Optional.empty(), DmDevices.below(sysfs, "vg-pool"));
  }
}
