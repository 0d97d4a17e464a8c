package dev.stapes.qemu.driver;

import static dev.stapes.model.StapesException.Kind.INVALID;
import static dev.stapes.model.StapesException.Kind.UNSUPPORTED;
import static dev.stapes.qemu.driver.Specs.plan;
import static dev.stapes.qemu.driver.Specs.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.Device;
import dev.stapes.model.Size;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class VmPlanTest {
  @Test
  void an_empty_config_is_one_cpu_a_gibibyte_and_secure_uefi() {
    VmPlan plan = plan();
    assertEquals(1, plan.cpuCount());
    assertEquals(Size.ofGibibytes(1), plan.memory());
    assertFalse(plan.hugePages());
    assertEquals(new Firmware.Uefi(true), plan.firmware());
    assertEquals("q35", plan.board());
    assertEquals(Optional.empty(), plan.cpuModel());
    assertEquals("auto", plan.accelerator());
    assertTrue(plan.graphics().isEmpty());
    assertEquals(Map.of(), plan.nics());
    assertEquals(List.of(), plan.raw());
  }

  @ParameterizedTest
  @CsvSource({"4,4", "'0-3',4", "'1-1',1", "'0,2,5-6',4", "255,255"})
  void cpus_are_a_count_or_a_set(String text, int count) {
    assertEquals(count, plan("limits.cpu", text).cpuCount());
  }

  @ParameterizedTest
  @ValueSource(strings = {"256", "0-255", "0", "3-1", "1,1", "x"})
  void cpus_that_cannot_be_are_quoted(String text) {
    refused(INVALID, text, () -> plan("limits.cpu", text));
  }

  @ParameterizedTest
  @CsvSource({
    "512MiB,536870912",
    "50%,2147483648",
    "100%,4294967296",
    "33554432,33554432",
    "35000000,34603008"
  })
  void memory_is_a_size_or_a_part_of_the_host_in_whole_mebibytes(String text, long bytes) {
    long difference = plan("limits.memory", text).memory().bytes() - bytes;
    // A percentage is cut to hundredths of the host first, and then to a MiB.
    assertTrue(difference <= 0 && difference >= -(1 << 20), text + ": " + difference);
    assertEquals(0, plan("limits.memory", text).memory().bytes() % (1 << 20));
  }

  @ParameterizedTest
  @ValueSource(strings = {"31MiB", "1", "33554431"})
  void too_little_memory_is_quoted(String text) {
    refused(INVALID, "at least 32MiB: \"" + text + "\"", () -> plan("limits.memory", text));
  }

  @ParameterizedTest
  @CsvSource({
    "limits.cpu.allowance,50%",
    "limits.cpu.priority,5",
    "limits.cpu.nodes,0",
    "limits.disk.priority,3",
    "limits.memory.enforce,soft",
    "limits.memory.swap,false",
    "limits.memory.swap.priority,3",
    "limits.processes,99",
    "limits.kernel.nofile,1000"
  })
  void limits_that_only_a_container_has_are_quoted(String key, String value) {
    refused(UNSUPPORTED, "config key " + key, () -> plan(key, value));
    refused(UNSUPPORTED, "\"" + value + "\"", () -> plan(key, value));
  }

  @Test
  void devices_are_interfaces_and_nothing_else() {
    Device.Nic nic = Device.Nic.p2p();
    VmPlan plan = Specs.plan(Specs.of(Map.of("eth0", nic, "gone", new Device.None())));
    assertEquals(Map.of("eth0", nic), plan.nics());
    refused(
        UNSUPPORTED,
        "device zero: a virtual machine cannot have one of type \"unix-char\"",
        () -> Specs.plan(Specs.of(Map.of("zero", Device.UnixChar.of("/dev/zero")))));
  }

  @Test
  void arguments_of_the_user_are_words_of_a_shell() {
    VmPlan plan = plan("raw.qemu", "-device 'a b' -x \"c,d\"\n-y");
    assertEquals(List.of("-device", "a b", "-x", "c,d", "-y"), plan.raw());
    refused(INVALID, "config key raw.qemu", () -> plan("raw.qemu", "-x 'open"));
  }

  @Test
  void keys_of_qemu_are_taken_over() {
    VmPlan plan =
        plan(
            "qemu.cpu",
            "qemu64",
            "qemu.accelerator",
            "tcg",
            "qemu.display",
            "vnc",
            "limits.memory.hugepages",
            "true");
    assertEquals(Optional.of("qemu64"), plan.cpuModel());
    assertEquals("tcg", plan.accelerator());
    assertEquals("vnc", plan.graphics().orElseThrow().protocol().toString());
    assertTrue(plan.hugePages());
  }

  @Test
  void a_kernel_takes_the_place_of_firmware() {
    VmPlan plan = plan("qemu.kernel", "/k", "qemu.initrd", "/i", "qemu.kernel_arguments", "a b");
    assertEquals(
        new Firmware.Kernel(Path.of("/k"), Optional.of(Path.of("/i")), "a b"), plan.firmware());
    assertEquals(
        new Firmware.Bios(),
        plan("security.csm", "true", "security.secureboot", "false").firmware());
    assertEquals(new Firmware.Uefi(false), plan("security.secureboot", "false").firmware());
  }

  @ParameterizedTest
  @CsvSource({
    "security.csm,qemu.kernel,/k,security.csm,true",
    "qemu.initrd,qemu.initrd,/i,limits.cpu,1",
    "qemu.kernel_arguments,qemu.kernel_arguments,quiet,limits.cpu,1",
    "qemu.machine,qemu.machine,microvm,limits.cpu,1",
    "security.csm,security.csm,true,limits.cpu,1"
  })
  void keys_that_contradict_each_other_are_named(
      String named, String key, String value, String other, String otherValue) {
    refused(INVALID, "config key " + named, () -> plan(key, value, other, otherValue));
  }

  @Test
  void files_of_the_host_have_absolute_paths() {
    refused(INVALID, "\"vmlinuz\"", () -> plan("qemu.kernel", "vmlinuz"));
    refused(INVALID, "config key qemu.kernel", () -> plan("qemu.kernel", "/a\0b"));
    refused(INVALID, "\"../i\"", () -> plan("qemu.kernel", "/k", "qemu.initrd", "../i"));
  }

  @Test
  void its_disk_and_its_variables_are_in_its_root_volume() {
    assertEquals(Path.of("/pool/vm/root.img"), VmPlan.disk(Specs.of()));
    assertEquals(Path.of("/pool/vm/nvram.fd"), VmPlan.nvram(Specs.of()));
  }

  @Test
  void all_keys_have_names_of_their_own() {
    Set<String> names = new java.util.HashSet<>();
    QemuKeys.ALL.forEach(key -> assertTrue(names.add(key.name()), key.name()));
  }

  @Test
  void a_microvm_has_no_watchdog() {
    refused(
        UNSUPPORTED,
        "config key qemu.watchdog",
        () -> plan("qemu.machine", "microvm", "qemu.kernel", "/k", "qemu.watchdog", "reset"));
    assertEquals(Optional.of("reset"), plan("qemu.watchdog", "reset").watchdog());
    assertEquals(Optional.empty(), plan("qemu.watchdog", "none").watchdog());
    refused(INVALID, "qemu.watchdog", () -> plan("qemu.watchdog", "bark"));
  }
}
