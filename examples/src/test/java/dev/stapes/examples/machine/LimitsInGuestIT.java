package dev.stapes.examples.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Instance;
import dev.stapes.Stop;
import dev.stapes.model.Device;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.testkit.RequiresGuest;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a virtual machine may use, changed while it runs. */
@Tag("once")
@RequiresRoot
@RequiresTool("qemu-system-x86_64")
@RequiresTool("taskset")
@RequiresGuest
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class LimitsInGuestIT {
  @RegisterExtension static final VmBench BENCH = new VmBench("dir");

  /** Waits in the guest, where that takes a moment. */
  private static String until(Instance vm, String condition) {
    return vm.exec(
            "sh",
            "-c",
            "for i in $(seq 200); do if "
                + condition
                + "; then echo yes; exit; fi;"
                + " sleep 0.1; done; echo no")
        .orThrow()
        .stdout()
        .strip();
  }

  /** Of each processor its socket, and which are the threads of its core. */
  private static String places(Instance vm) {
    String each = "echo $(cat $cpu/physical_package_id $cpu/thread_siblings_list)";
    String all = "for cpu in /sys/devices/system/cpu/cpu[0-9]*/topology; do " + each + "; done";
    return vm.exec("sh", "-c", all).orThrow().stdout();
  }

  @Test
  void processors_memory_and_the_speed_of_its_disk_change() {
    Instance vm =
        BENCH
            .stapes()
            .instances()
            .launch(
                BENCH
                    .spec()
                    .limits(limits -> limits.cpus(1))
                    .config("qemu.cpu_topology", "sockets=2,cores=1,threads=2")
                    .device("eth0", Device.Nic.p2p())
                    .build());
    assertEquals("yes", until(vm, "[ $(nproc) = 1 ]"));
    Map<String, String> chosen = vm.info().config().values();
    String address = String.valueOf(chosen.get("volatile.eth0.hwaddr"));
    assertEquals("yes", until(vm, "grep -q " + address + " /sys/class/net/eth0/address"));
    Path link = Path.of("/sys/class/net", String.valueOf(chosen.get("volatile.eth0.host_name")));
    assertTrue(Files.exists(link), link.toString());
    vm.update(changes -> changes.config("limits.cpu", "2"));
    assertEquals("yes", until(vm, "[ $(nproc) = 2 ]"));
    assertEquals("0 0-1\n0 0-1\n", places(vm));
    vm.update(changes -> changes.config("limits.cpu", "3"));
    assertEquals("yes", until(vm, "[ $(nproc) = 3 ]"));
    assertEquals("0 0-1\n0 0-1\n1 2\n", places(vm));
    vm.update(changes -> changes.config("limits.cpu", "1"));
    assertEquals("yes", until(vm, "[ $(nproc) = 1 ]"));

    String free = "$(sed -n 's/MemFree: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo)";
    long before = Long.parseLong(vm.exec("sh", "-c", "echo " + free).orThrow().stdout().strip());
    vm.update(changes -> changes.config("limits.memory", "256MiB"));
    assertEquals("yes", until(vm, "[ " + free + " -lt " + (before - 100_000) + " ]"));
    StapesException more =
        assertThrows(
            StapesException.class,
            () -> vm.update(changes -> changes.config("limits.memory", "64TiB")));
    assertEquals(Kind.UNSUPPORTED, more.kind());
    assertEquals("256MiB", vm.info().config().values().get("limits.memory"));

    vm.update(
        changes ->
            changes.device(
                "root",
                Device.root(disk -> disk.pool("default").limitRead("50MiB").limitWrite("80iops"))));
    vm.exec("dd", "if=/dev/vda", "of=/dev/null", "bs=1M", "count=2").orThrow();
    vm.stop(Stop.FORCE);
    assertFalse(Files.exists(link), link.toString());
  }

  @Test
  void what_a_virtual_machine_cannot_have_is_refused() {
    InstanceSpec.Builder nic =
        BENCH.spec().config("qemu.machine", "microvm").device("eth0", Device.Nic.p2p());
    InstanceSpec.Builder priority = BENCH.spec().config("limits.cpu.priority", "3");
    for (InstanceSpec spec : List.of(nic.build(), priority.build())) {
      StapesException e =
          assertThrows(StapesException.class, () -> BENCH.stapes().instances().create(spec));
      assertEquals(Kind.UNSUPPORTED, e.kind(), e.toString());
    }
  }

  @Test
  void its_processors_are_pinned() throws IOException {
    Instance vm =
        BENCH
            .stapes()
            .instances()
            .create(BENCH.spec().limits(limits -> limits.cpuSet("1-1")).build());
    vm.start();
    long pid = vm.state().pid().orElseThrow();
    try (Stream<Path> threads = Files.list(Path.of("/proc/" + pid + "/task"))) {
      List<String> allowed =
          threads.map(LimitsInGuestIT::cpus).flatMap(Optional::stream).distinct().toList();
      assertEquals(List.of("1"), allowed);
    }
    vm.stop(Stop.FORCE);
    StapesException offline =
        assertThrows(
            StapesException.class,
            () -> vm.update(changes -> changes.config("limits.cpu", "4000-4001")));
    assertEquals(Kind.UNSUPPORTED, offline.kind());
    assertTrue(String.valueOf(offline.getMessage()).contains("4000-4001"), offline.getMessage());
  }

  /** Empty for a thread that has ended since. */
  private static Optional<String> cpus(Path thread) {
    try {
      return Files.readAllLines(thread.resolve("status")).stream()
          .filter(line -> line.startsWith("Cpus_allowed_list:"))
          .map(line -> line.replaceFirst(".*\\s", ""))
          .findFirst();
    } catch (IOException e) {
      return Optional.empty();
    }
  }
}
