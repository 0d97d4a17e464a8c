package dev.stapes.qemu.driver;

import static dev.stapes.qemu.driver.Specs.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
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
    return VmPlan.of(Specs.on(Specs.of(config), io), Specs.HOST);
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
    String node = VmDisks.node(DiskId.of("d"), 7, false, disk).toString();
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
  void a_root_disk_goes_past_the_memory_of_the_host_where_qemu_takes_what_a_shell_opened() {
    for (QemuProgram.Version version : List.of(version(7, 2), version(8, 2), version(9, 0))) {
      DiskCache.requireOfRoot("vm", with(Cache.NONE), version);
    }
    for (QemuProgram.Version version : List.of(version(9, 1), version(10, 0))) {
      DiskCache.requireOfRoot("vm", with(Cache.UNSAFE), version);
      DiskCache.requireOfRoot("vm", DiskIo.USUAL, version);
      refused(
          Kind.UNSUPPORTED,
          "there is no such one with QEMU " + version + ": \"none\"",
          () -> DiskCache.requireOfRoot("vm", with(Cache.NONE), version));
    }
  }

  private static QemuProgram.Version version(int major, int minor) {
    return new QemuProgram.Version(major, minor);
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
