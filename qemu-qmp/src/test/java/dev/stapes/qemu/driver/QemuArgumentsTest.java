package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.stapes.model.Device;
import dev.stapes.model.Size;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class QemuArgumentsTest {
  private static final QemuArguments.UefiFiles UEFI =
      new QemuArguments.UefiFiles(Path.of("/ovmf/a,b \"CODE\".fd"), Path.of("/dev/fdset/4"));

  private static final Device.IoLimits LIMITS =
      new Device.IoLimits(Optional.of("1MiB"), Optional.of("70iops"));

  private static List<String> of(VmPlan plan, boolean kvm) {
    return QemuArguments.of(
        plan,
        new QemuArguments.Start(
            "stapes-tag-abcd1234",
            Path.of("/dev/fdset/3"),
            plan.firmware() instanceof Firmware.Uefi ? UEFI : QemuArguments.UefiFiles.NONE,
            kvm,
            Specs.room(plan, 4, Size.ofMebibytes(64)),
            LIMITS,
            Path.of("/dev/fdset/5"),
            Optional.empty(),
            false));
  }

  /** What follows an option, each time it is there. */
  private static List<String> values(List<String> arguments, String option) {
    List<String> values = new ArrayList<>();
    for (int i = 0; i + 1 < arguments.size(); i++) {
      if (arguments.get(i).equals(option)) {
        values.add(arguments.get(i + 1));
      }
    }
    return values;
  }

  private static JsonNode json(List<String> arguments, String option, String key, String value) {
    for (String text : values(arguments, option)) {
      JsonNode node = json(text);
      if (node.path(key).asText().equals(value)) {
        return node;
      }
    }
    throw new AssertionError("no " + option + " with " + key + " " + value);
  }

  private static JsonNode json(String text) {
    try {
      return new ObjectMapper().readTree(text);
    } catch (JsonProcessingException e) {
      throw new AssertionError(text, e);
    }
  }

  /** What is one thing must have one id. */
  private static void requireWellFormed(List<String> arguments) {
    Set<String> ids = new HashSet<>();
    for (String option : List.of("-device", "-blockdev", "-object", "-netdev")) {
      for (String text : values(arguments, option)) {
        JsonNode node = json(text);
        String id = node.path(option.equals("-blockdev") ? "node-name" : "id").asText();
        assertFalse(id.isEmpty(), text);
        assertTrue(ids.add(option + id), text);
      }
    }
    Set<String> chardevs = new HashSet<>();
    for (String text : values(arguments, "-chardev")) {
      assertTrue(chardevs.add(text.replaceFirst(".*,id=([^,]*).*", "$1")), text);
    }
    for (String text : values(arguments, "-device")) {
      JsonNode chardev = json(text).path("chardev");
      assertTrue(chardev.isMissingNode() || chardevs.contains(chardev.asText()), text);
    }
  }

  @Test
  void a_kernel_is_booted_without_firmware() {
    VmPlan plan =
        Specs.plan(
            "qemu.kernel",
            "/k,1/vm \"linux\"",
            "qemu.initrd",
            "/i,2",
            "qemu.kernel_arguments",
            "console=ttyS0,115200 a=\"b c\"",
            "limits.cpu",
            "3",
            "limits.memory",
            "64MiB");
    List<String> all = of(plan, false);
    requireWellFormed(all);
    assertEquals(
        List.of(
            "-name",
            "guest=stapes-tag-abcd1234,debug-threads=on",
            "-S",
            "-nodefaults",
            "-no-user-config",
            "-display",
            "none",
            "-sandbox",
            "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
            "-rtc",
            "base=utc,driftfix=slew",
            "-msg",
            "timestamp=on",
            "-action",
            "panic=none",
            "-machine",
            "q35,vmport=off,usb=off,smm=off,memory-backend=memory",
            "-accel",
            "tcg,thread=multi",
            "-cpu",
            "max",
            "-smp",
            "cpus=3,maxcpus=4,sockets=1,cores=4,threads=1",
            "-object",
            "{\"qom-type\":\"memory-backend-memfd\",\"id\":\"memory\",\"size\":67108864,"
                + "\"share\":true}",
            "-m",
            "size=64M",
            "-kernel",
            "/k,1/vm \"linux\"",
            "-initrd",
            "/i,2",
            "-append",
            "console=ttyS0,115200 a=\"b c\"",
            "-global",
            "ICH9-LPC.disable_s3=1",
            "-chardev",
            "socket,id=monitor,path=qmp,server=on,wait=off",
            "-mon",
            "chardev=monitor,mode=control"),
        all.subList(0, 39));
  }

  @Test
  void the_root_disk_is_a_file_that_is_already_open() {
    List<String> all = of(Specs.plan(), false);
    JsonNode node = json(all, "-blockdev", "node-name", "root");
    assertEquals("throttle", node.path("driver").asText());
    JsonNode raw = node.path("file");
    assertEquals("raw", raw.path("driver").asText());
    assertEquals("/dev/fdset/3", raw.path("file").path("filename").asText());
    assertEquals("on", raw.path("file").path("locking").asText());
    JsonNode limits =
        json(all, "-object", "id", node.path("throttle-group").asText()).path("limits");
    assertEquals(1 << 20, limits.path("bps-read").asLong());
    assertEquals(70, limits.path("iops-write").asLong());
    assertEquals(0, limits.path("bps-write").asLong());
    JsonNode disk = json(all, "-device", "id", "dev-root");
    assertEquals("root", disk.path("drive").asText());
    assertEquals(1, disk.path("bootindex").asInt());
  }

  @Test
  void uefi_has_firmware_to_read_and_variables_to_write() {
    List<String> all = of(Specs.plan("security.secureboot", "false"), true);
    requireWellFormed(all);
    assertTrue(all.contains("pflash0=code,pflash1=vars"));
    JsonNode code = json(all, "-blockdev", "node-name", "code");
    assertEquals(UEFI.code().toString(), code.path("file").path("filename").asText());
    assertTrue(code.path("read-only").asBoolean());
    assertFalse(json(all, "-blockdev", "node-name", "vars").path("read-only").asBoolean());
    assertEquals(List.of("ICH9-LPC.disable_s3=1"), values(all, "-global"));
    assertFalse(all.contains("-kernel"));
    assertEquals("host", values(all, "-cpu").get(0));
    assertEquals("kvm", values(all, "-accel").get(0));
  }

  @Test
  void secure_boot_lets_the_system_management_mode_alone_write_variables() {
    List<String> all = of(Specs.plan(), false);
    requireWellFormed(all);
    assertTrue(values(all, "-machine").get(0).contains("smm=on"));
    assertTrue(values(all, "-global").contains("driver=cfi.pflash01,property=secure,value=on"));
  }

  @Test
  void the_bios_is_what_qemu_does_by_itself() {
    List<String> all =
        of(Specs.plan("security.csm", "true", "security.secureboot", "false"), false);
    requireWellFormed(all);
    assertEquals(1, values(all, "-machine").size());
    assertEquals(1, values(all, "-blockdev").size());
    assertFalse(all.contains("-kernel"));
  }

  @Test
  void a_microvm_has_no_bus_of_pci() {
    List<String> all = of(Specs.plan("qemu.machine", "microvm", "qemu.kernel", "/k"), false);
    requireWellFormed(all);
    assertTrue(values(all, "-machine").get(0).startsWith("microvm,acpi=on"));
    assertTrue(values(all, "-machine").get(0).contains("pit=off,pic=off"));
    assertEquals(List.of("base=utc,driftfix=none"), values(all, "-rtc"));
    assertEquals(List.of(), values(all, "-global"));
    assertTrue(all.stream().noneMatch(text -> text.contains("-pci\"")));
    assertTrue(all.stream().noneMatch(text -> text.contains("pcie-root-port")));
    json(all, "-device", "driver", "virtio-blk-device");
  }

  @Test
  void each_interface_has_a_slot_beside_those_for_what_comes_later() {
    VmPlan plan = Specs.plan(Specs.of(Map.of("eth0", Device.Nic.p2p(), "eth1", Device.Nic.p2p())));
    List<String> all = of(plan, false);
    requireWellFormed(all);
    assertEquals(List.of(), values(all, "-netdev"));
    long ports = all.stream().filter(text -> text.contains("pcie-root-port")).count();
    assertEquals(QemuArguments.FREE_SLOTS + 2, ports);
  }

  @Test
  void what_the_user_adds_is_at_the_end() {
    List<String> all = of(Specs.plan("raw.qemu", "-a 'b,c d'"), false);
    assertEquals(List.of("-a", "b,c d"), all.subList(all.size() - 2, all.size()));
  }

  @Test
  void a_display_is_shown_on_a_socket() {
    List<String> all = of(Specs.plan("qemu.display", "vnc", "qemu.cpu", "qemu64"), true);
    requireWellFormed(all);
    assertEquals(List.of("vnc=unix:vnc"), values(all, "-display"));
    assertEquals(List.of("qemu64"), values(all, "-cpu"));
    json(all, "-device", "driver", "VGA");
    List<String> none = of(Specs.plan(), true);
    assertEquals(List.of("none"), values(none, "-display"));
    assertEquals(List.of(), values(none, "-spice"));
  }

  @Test
  void spice_takes_the_place_of_vnc_and_virtio_that_of_vga() {
    List<String> all = of(Specs.plan("qemu.display", "spice", "qemu.gpu", "virtio"), true);
    requireWellFormed(all);
    assertEquals(List.of("none"), values(all, "-display"));
    assertEquals(List.of("unix=on,addr=spice,disable-ticketing=on"), values(all, "-spice"));
    assertEquals("vga", json(all, "-device", "driver", "virtio-vga").path("id").asText());
  }

  @Test
  void threads_are_seen_as_such_with_a_cpu_that_has_them() {
    String both = "sockets=1,cores=2,threads=2";
    assertEquals("max,vendor=GenuineIntel", cpu(false, "qemu.cpu_topology", both));
    assertEquals("host,topoext=on", cpu(true, "qemu.cpu_topology", both));
    assertEquals("EPYC", cpu(true, "qemu.cpu_topology", both, "qemu.cpu", "EPYC"));
    assertEquals("max", cpu(false, "qemu.cpu_topology", "sockets=2,cores=2,threads=1"));
    assertEquals("max", cpu(false));
  }

  private static String cpu(boolean kvm, String... config) {
    return values(of(Specs.plan(config), kvm), "-cpu").get(0);
  }

  @Test
  void a_watchdog_has_one_action() {
    for (String action : List.of("reset", "shutdown", "poweroff", "pause")) {
      List<String> all = of(Specs.plan("qemu.watchdog", action), true);
      requireWellFormed(all);
      assertEquals(List.of("panic=none", "watchdog=" + action), values(all, "-action"));
      json(all, "-device", "driver", "i6300esb");
    }
    assertFalse(String.join(" ", of(Specs.plan(), true)).contains("watchdog"));
    assertEquals(of(Specs.plan(), true), of(Specs.plan("qemu.watchdog", "none"), true));
  }

  @Test
  void a_tpm_is_reached_by_a_socket_in_its_directory() {
    VmPlan plan = Specs.plan(Specs.of(Map.of("tpm0", new Device.Tpm())));
    List<String> all = of(plan, true);
    requireWellFormed(all);
    assertTrue(values(all, "-chardev").contains("socket,id=tpm,path=tpm.d/ctrl"));
    assertEquals(List.of("emulator,id=tpm-emulator,chardev=tpm"), values(all, "-tpmdev"));
    assertEquals("tpm-emulator", json(all, "-device", "driver", "tpm-crb").path("tpmdev").asText());
    assertEquals(List.of(), values(of(Specs.plan(), true), "-tpmdev"));
  }

  @Test
  void it_can_have_the_memory_of_the_host_while_it_runs() {
    VmPlan plan = Specs.plan("limits.memory", "35MiB");
    List<String> all = of(plan, true);
    requireWellFormed(all);
    assertEquals(List.of("size=35M,maxmem=63M"), values(all, "-m")); // in steps of 2 MiB
    JsonNode backend = json(all, "-object", "id", "memory-more");
    assertEquals(28 << 20, backend.path("size").asLong());
    assertFalse(backend.path("reserve").asBoolean(true));
    JsonNode device = json(all, "-device", "driver", "virtio-mem-pci");
    assertEquals(0, device.path("requested-size").asLong(-1));
    assertEquals("memory-more", device.path("memdev").asText());
    assertEquals(0, VmMemory.growth(plan, plan.memory()));
    assertEquals(0, VmMemory.growth(Specs.plan("limits.memory.hugepages", "true"), Specs.HOST));
    VmPlan small = Specs.plan("qemu.machine", "microvm", "qemu.kernel", "/k");
    assertEquals(0, VmMemory.growth(small, Specs.HOST));
  }

  @Test
  void what_it_has_room_for_is_read_from_what_it_was_started_with() {
    for (VmPlan plan :
        List.of(
            Specs.plan("limits.cpu", "3", "limits.memory", "35MiB"),
            Specs.plan("limits.cpu", "9", "raw.qemu", "-m 2G -smp cpus=1,maxcpus=77"),
            Specs.plan("qemu.machine", "microvm", "qemu.kernel", "/k", "limits.cpu", "2"))) {
      List<String> all = of(plan, false);
      assertEquals(Specs.room(plan, 4, Size.ofMebibytes(64)), VmRoom.of(all));
      assertEquals(plan.memory(), VmRoom.memory(all));
    }
    assertEquals(
        new VmRoom(CpuTopology.ofCores(1), 0, 0, false),
        VmRoom.of(List.of("-m", "2G", "-smp", "4")));
  }

  @Test
  void one_that_goes_on_has_the_same_room_on_another_host() {
    VmPlan before = Specs.plan("limits.memory", "35MiB");
    List<String> saved = of(before, false);
    Device.Nic nic = Device.Nic.p2p();
    VmPlan now = Specs.plan(Specs.of(Map.of("eth0", nic), "limits.memory", "35MiB"));
    List<String> again =
        QemuArguments.of(
            now,
            new QemuArguments.Start(
                "stapes-tag-other",
                Path.of("/dev/fdset/3"),
                UEFI,
                false,
                VmRoom.of(saved),
                Device.IoLimits.NONE,
                Path.of("/dev/fdset/5"),
                Optional.empty(),
                true));
    assertEquals(CommandLine.kept(saved), CommandLine.kept(again));
  }

  @Test
  void huge_pages_are_asked_for() {
    List<String> all = of(Specs.plan("limits.memory.hugepages", "true"), true);
    assertTrue(json(all, "-object", "id", "memory").path("hugetlb").asBoolean());
  }

  @Test
  void a_comma_in_a_path_ends_no_option_and_a_seed_is_the_last_device() {
    List<String> all =
        QemuArguments.of(
            Specs.plan(),
            new QemuArguments.Start(
                "n",
                Path.of("/a,b"),
                UEFI,
                false,
                Specs.room(Specs.plan(), 1, Size.ofMebibytes(64)),
                Device.IoLimits.NONE,
                Path.of("/logs,x/con=sole"),
                Optional.of(Path.of("/dev/fdset/6")),
                false));
    assertTrue(
        values(all, "-chardev").stream()
            .anyMatch(text -> text.contains("logfile=/logs,,x/con=sole,logappend=on")));
    JsonNode root = json(all, "-blockdev", "node-name", "root");
    assertEquals("/a,b", root.path("file").path("file").path("filename").asText());
    requireWellFormed(all);
    JsonNode seed = json(all, "-blockdev", "node-name", "seed");
    assertTrue(seed.path("read-only").asBoolean());
    assertTrue(seed.path("file").path("read-only").asBoolean());
    assertEquals("/dev/fdset/6", seed.path("file").path("filename").asText());
    List<String> devices = values(all, "-device");
    assertEquals("seed", json(devices.get(devices.size() - 1)).path("drive").asText());
  }
}
