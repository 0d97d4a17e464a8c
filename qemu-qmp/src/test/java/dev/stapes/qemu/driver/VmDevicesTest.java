package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.Device;
import dev.stapes.model.StapesException.Kind;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** What devices are called, and which ones a virtual machine can have. */
class VmDevicesTest {
  private static final Device DISK = Device.disk("/data", disk -> disk.source("/data.img"));

  @Test
  void a_disk_is_called_as_its_device() {
    DiskId id = DiskId.of("data");
    assertEquals("data", id.key());
    assertEquals("disk-data", id.disk());
    assertEquals("limits-disk-data", id.throttle());
    assertEquals("share-data", id.share());
  }

  @Test
  void a_long_name_is_cut_and_stays_its_own() {
    String name = "a-very-long-name-of-a-device";
    DiskId one = DiskId.of(name + "1");
    assertEquals(20, one.key().length());
    assertTrue(one.key().startsWith("a-very-long-"), one.key());
    assertEquals(one, DiskId.of(name + "1"));
    assertNotEquals(one, DiskId.of(name + "2"));
    assertEquals("exactly-twenty-chars", DiskId.of("exactly-twenty-chars").key());
  }

  @Test
  void a_disk_is_raw_below_its_limits_and_opened_by_number() {
    Device.Disk disk = Device.disk("/d", options -> options.source("/d").readOnly());
    String node = VmDisks.node(DiskId.of("data"), 7, true, disk.readOnly(), disk.io()).toString();
    assertFalse(node.contains("cache"), node);
    assertTrue(node.contains("\"driver\":\"host_device\",\"filename\":\"/dev/fdset/7\""), node);
    assertTrue(node.contains("\"throttle-group\":\"limits-disk-data\""), node);
    assertFalse(node.contains("\"read-only\":false"), node);
  }

  @Test
  void disks_alone_come_and_go() {
    assertTrue(VmDevices.isPluggable(DISK));
    assertTrue(VmDevices.isPluggable(Device.Nic.p2p()));
    assertFalse(VmDevices.isPluggable(Device.UnixChar.of("/dev/tty9")));
  }

  @Test
  void more_slots_are_free_where_there_are_disks() {
    assertEquals(QemuArguments.FREE_SLOTS, Specs.plan().slots());
    assertEquals(
        QemuArguments.FREE_SLOTS + VmDevices.MOST_DISKS,
        Specs.plan(Specs.of(Map.of("data", DISK))).slots());
  }

  @Test
  void it_has_one_tpm_at_most_and_from_the_start() {
    assertFalse(VmDevices.isPluggable(new Device.Tpm()));
    assertTrue(Specs.plan(Specs.of(Map.of("t", new Device.Tpm()))).tpm());
    assertFalse(Specs.plan().tpm());
    Map<String, Device> two = Map.of("t", new Device.Tpm(), "u", new Device.Tpm());
    Specs.refused(Kind.UNSUPPORTED, "one TPM: 2", () -> Specs.plan(Specs.of(two)));
    Specs.refused(
        Kind.UNSUPPORTED,
        "a microvm has no TPM",
        () ->
            Specs.plan(
                Specs.of(
                    Map.of("t", new Device.Tpm()),
                    "qemu.machine",
                    "microvm",
                    "qemu.kernel",
                    "/k")));
  }

  @Test
  void more_than_the_slots_that_there_are_is_refused_and_not_told_at_the_start() {
    Map<String, Device> many = new TreeMap<>();
    for (int i = 0; i < VmDevices.MOST_DISKS; i++) {
      many.put("disk" + i, DISK);
    }
    for (int i = 0; i < QemuArguments.MOST_SLOTS - VmDevices.MOST_DISKS; i++) {
      many.put("eth" + i, Device.Nic.p2p());
    }
    assertEquals(QemuArguments.MOST_SLOTS, Specs.plan(Specs.of(many)).slots());
    many.put("card", new Device.Raw("pci", new TreeMap<>(Map.of("address", "0000:01:00.0"))));
    Specs.refused(Kind.UNSUPPORTED, "20 slots", () -> Specs.plan(Specs.of(many)));
  }

  @Test
  void an_interface_is_not_called_like_a_disk_of_every_machine() {
    Specs.refused(
        Kind.UNSUPPORTED,
        "[root, seed]",
        () -> Specs.plan(Specs.of(Map.of("seed", Device.Nic.p2p()))));
  }

  @Test
  void what_it_cannot_have_is_refused() {
    Map<String, Device> many = new TreeMap<>();
    for (int i = 0; i <= VmDevices.MOST_DISKS; i++) {
      many.put("disk" + i, DISK);
    }
    Specs.refused(Kind.UNSUPPORTED, "12 disks", () -> Specs.plan(Specs.of(many)));
    Specs.refused(
        Kind.UNSUPPORTED,
        "root disk alone",
        () ->
            Specs.plan(
                Specs.of(
                    Map.of("data", DISK), "qemu.machine", "microvm", "qemu.kernel", "/vmlinuz")));
    Device both = Device.disk("/a", disk -> disk.source("/a").readOnly().recursive());
    Specs.refused(
        Kind.UNSUPPORTED, "recursive and read-only", () -> Specs.plan(Specs.of(Map.of("a", both))));
  }
}
