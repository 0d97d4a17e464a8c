package dev.stapes.qemu.driver;

import static dev.stapes.qemu.driver.Specs.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.Device;
import dev.stapes.model.Device.DiskIo;
import dev.stapes.model.Device.DiskIo.Bus;
import dev.stapes.model.Device.DiskIo.Cache;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Machine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What disks are on, and what is kept of them in memory. */
class DiskBusTest {
  private static final Path FILE = Path.of("/dev/fdset/3");

  @TempDir Path directory;

  private static DiskIo on(Bus bus) {
    return new DiskIo(Optional.of(bus), Optional.empty());
  }

  private static DiskIo with(Cache cache) {
    return new DiskIo(Optional.empty(), Optional.of(cache));
  }

  private static VmPlan plan(DiskIo io, String... config) {
    return Specs.plan(Specs.on(Specs.of(config), io));
  }

  private static List<String> arguments(VmPlan plan) {
    return RootDisk.arguments(plan, FILE, Device.IoLimits.NONE);
  }

  @Test
  void a_root_disk_of_which_nothing_is_said_has_the_arguments_that_saved_memory_knows() {
    List<String> all = arguments(Specs.plan());
    assertEquals(
        List.of(
            "-blockdev",
            "{\"driver\":\"throttle\",\"node-name\":\"root\",\"throttle-group\":\"limits-root\","
                + "\"discard\":\"unmap\",\"file\":{\"driver\":\"raw\",\"discard\":\"unmap\","
                + "\"detect-zeroes\":\"unmap\",\"file\":{\"driver\":\"file\","
                + "\"filename\":\"/dev/fdset/3\",\"discard\":\"unmap\",\"aio\":\"threads\","
                + "\"locking\":\"on\"}}}",
            "-device",
            "{\"driver\":\"virtio-blk-pci\",\"id\":\"dev-root\",\"bootindex\":1,"
                + "\"drive\":\"root\",\"serial\":\"root\"}"),
        all.subList(2, all.size()));
    assertEquals(all, arguments(plan(on(Bus.VIRTIO_BLK))));
    assertEquals(all, arguments(plan(with(Cache.WRITEBACK))));
  }

  @Test
  void a_root_disk_that_is_a_device_is_the_same_disk_to_the_guest() {
    Machine.Spec spec = Specs.of();
    Machine.Spec device =
        spec.with(spec.root().on(Optional.of(Path.of("/dev/loop7"))), spec.disks());
    assertEquals(Path.of("/pool/vm/root.img"), VmPlan.disk(spec));
    assertEquals(Path.of("/dev/loop7"), VmPlan.disk(device));
    List<String> all = arguments(Specs.plan(device));
    assertTrue(
        all.toString().contains("{\"driver\":\"host_device\",\"filename\":\"/dev/fdset/3\""),
        all::toString);
    assertTrue(all.toString().contains("\"cache\":{\"direct\":true,\"no-flush\":false}"));
    assertEquals(CommandLine.kept(arguments(Specs.plan())), CommandLine.kept(all));
    String other = "{\"driver\":\"host_device\",\"node-name\":\"raw\"}";
    assertEquals(List.of("-blockdev", other), CommandLine.kept(List.of("-blockdev", other)));
    Machine.Spec chosen = Specs.on(spec, with(Cache.WRITEBACK));
    Machine.Spec cached =
        chosen.with(chosen.root().on(Optional.of(Path.of("/dev/loop7"))), spec.disks());
    assertFalse(arguments(Specs.plan(cached)).toString().contains("cache"));
  }

  @Test
  void a_root_disk_is_what_it_is_said_to_be() throws IOException {
    Path file = Files.write(directory.resolve("root.img"), new byte[12]);
    Machine.Spec spec = Specs.of();
    Machine.Spec device = spec.with(spec.root().on(Optional.of(file)), spec.disks());
    RootDisk.require(spec, "instance vm", file);
    assertEquals(12, sizeOf(file));
    refused(Kind.INVALID, "no block device", () -> RootDisk.require(device, "vm", file));
    Path gone = directory.resolve("gone");
    refused(Kind.NOT_FOUND, "is missing", () -> RootDisk.require(device, "vm", gone));
    refused(Kind.NOT_FOUND, "is missing", () -> RootDisk.require(spec, "vm", gone));
    refused(Kind.INVALID, "not a file", () -> RootDisk.require(spec, "vm", directory));
    refused(Kind.UNAVAILABLE, "size of root", () -> sizeOf(gone));
  }

  private static long sizeOf(Path disk) {
    return DiskSize.of(Syscalls.system(), disk, "vm", "root");
  }

  @ParameterizedTest
  @CsvSource({"VIRTIO_SCSI,virtio-scsi-pci,scsi-hd", "USB,qemu-xhci,usb-storage"})
  void a_root_disk_can_be_on_a_controller_of_its_own(Bus bus, String controller, String disk) {
    List<String> all = arguments(plan(on(bus)));
    assertEquals(
        List.of(
            "-device",
            "{\"driver\":\"" + controller + "\",\"id\":\"root-bus\"}",
            "-device",
            "{\"driver\":\""
                + disk
                + "\",\"id\":\"dev-root\",\"bootindex\":1,\"bus\":\"root-bus.0\","
                + "\"drive\":\"root\",\"serial\":\"root\"}"),
        all.subList(4, all.size()));
  }

  @Test
  void nvme_is_its_own_controller() {
    List<String> all = arguments(plan(on(Bus.NVME)));
    assertEquals(6, all.size());
    assertTrue(all.get(5).startsWith("{\"driver\":\"nvme\",\"id\":\"dev-root\""), all.get(5));
  }

  @Test
  void a_microvm_has_no_bus_that_needs_pci() {
    String[] small = {"qemu.machine", "microvm", "qemu.kernel", "/k"};
    refused(Kind.UNSUPPORTED, "no PCI for it: \"nvme\"", () -> plan(on(Bus.NVME), small));
    refused(Kind.UNSUPPORTED, "no PCI for it: \"usb\"", () -> plan(on(Bus.USB), small));
    String all = arguments(plan(on(Bus.VIRTIO_SCSI), small)).toString();
    assertTrue(all.contains("{\"driver\":\"virtio-scsi-device\",\"id\":\"root-bus\"}"), all);
    assertTrue(arguments(plan(DiskIo.USUAL, small)).toString().contains("virtio-blk-device"));
  }

  @Test
  void directories_and_disks_have_buses_of_their_own() {
    refused(
        Kind.UNSUPPORTED,
        "root disk of instance vm: io.bus: a disk cannot have the bus of directories: \"virtiofs\"",
        () -> plan(on(Bus.VIRTIOFS)));
    refused(
        Kind.UNSUPPORTED,
        "device data: io.bus: a directory has the bus virtiofs alone: \"usb\"",
        () -> DiskBus.requireOfDirectory("data", on(Bus.USB)));
    refused(
        Kind.UNSUPPORTED,
        "a directory has no io.cache: \"unsafe\"",
        () -> DiskBus.requireOfDirectory("data", with(Cache.UNSAFE)));
    DiskBus.requireOfDirectory("data", on(Bus.VIRTIOFS));
    DiskBus.requireOfDirectory("data", DiskIo.USUAL);
  }

  @ParameterizedTest
  @EnumSource(Bus.class)
  void memory_is_saved_beside_all_but_nvme(Bus bus) {
    Machine.Spec root = Specs.on(Specs.of(), on(bus));
    Device disk = Device.disk("/d", options -> options.source("/d").bus(bus));
    Machine.Spec device = Specs.of(Map.of("data", disk));
    if (bus == Bus.NVME) {
      refused(Kind.CONFLICT, "as its root disk is", () -> DiskBus.requireSavable(root));
      refused(Kind.CONFLICT, "as device data is", () -> DiskBus.requireSavable(device));
    } else {
      DiskBus.requireSavable(root);
      DiskBus.requireSavable(device);
    }
  }

  @Test
  void each_layer_of_a_disk_knows_what_is_kept_in_memory() {
    assertEquals("{}", cache(DiskIo.USUAL));
    assertEquals("{}", cache(with(Cache.WRITEBACK)));
    assertEquals("{\"cache\":{\"direct\":true,\"no-flush\":false}}", cache(with(Cache.NONE)));
    String unsafe = "\"cache\":{\"direct\":false,\"no-flush\":true}";
    assertEquals("{" + unsafe + "}", cache(with(Cache.UNSAFE)));
    String root = arguments(plan(with(Cache.UNSAFE))).get(3);
    assertEquals(4, root.split(java.util.regex.Pattern.quote(unsafe), -1).length, root);
    Device.Disk disk = Device.disk("/d", each -> each.source("/d").cache(Cache.UNSAFE));
    String node = VmDisks.node(DiskId.of("d"), 7, false, false, disk.io()).toString();
    assertEquals(4, node.split(java.util.regex.Pattern.quote(unsafe), -1).length, node);
  }

  private static String cache(DiskIo io) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    DiskCache.put(node, io);
    return node.toString();
  }

  @Test
  void a_file_past_the_memory_of_the_host_is_asked_for_first() throws IOException {
    Syscalls sys = Syscalls.system();
    Path proc = Path.of("/proc/version"); // a file system without
    DiskCache.require(sys, "vm", proc, DiskIo.USUAL);
    DiskCache.require(sys, "vm", proc, with(Cache.UNSAFE));
    refused(
        Kind.UNSUPPORTED,
        "the file system of \"/proc/version\" has no O_DIRECT: \"none\"",
        () -> DiskCache.require(sys, "vm", proc, with(Cache.NONE)));
    Path file = Files.write(directory.resolve("disk"), new byte[4096]);
    DiskCache.require(sys, "vm", file, with(Cache.WRITEBACK));
    Path missing = directory.resolve("missing");
    refused(
        Kind.UNAVAILABLE,
        "missing\" cannot be opened",
        () -> DiskCache.require(sys, "vm", missing, with(Cache.NONE)));
  }

  @Test
  void a_root_disk_past_the_memory_of_the_host_is_opened_so() {
    assertEquals(QemuProcess.Mode.DIRECT, DiskCache.modeOfRoot(with(Cache.NONE)));
    assertEquals(QemuProcess.Mode.WRITE, DiskCache.modeOfRoot(with(Cache.UNSAFE)));
    assertEquals(QemuProcess.Mode.WRITE, DiskCache.modeOfRoot(DiskIo.USUAL));
  }

  @Test
  void a_controller_belongs_to_its_disk() {
    DiskId id = DiskId.of("data");
    assertEquals("bus-data", id.controller());
    assertTrue(DiskId.isControllerOf("bus-data", Set.of("bus-data", "disk-data")));
    assertEquals(false, DiskId.isControllerOf("bus-data", Set.of("bus-data", "disk-other")));
    assertEquals(false, DiskId.isControllerOf("disk-data", Set.of("disk-data")));
  }
}
