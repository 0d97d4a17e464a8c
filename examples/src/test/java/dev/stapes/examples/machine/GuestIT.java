package dev.stapes.examples.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Console;
import dev.stapes.ExecProcess;
import dev.stapes.Instance;
import dev.stapes.Stop;
import dev.stapes.model.Device;
import dev.stapes.model.Device.DiskIo.Bus;
import dev.stapes.model.Device.DiskIo.Cache;
import dev.stapes.model.ExecSpec;
import dev.stapes.model.GuestInfo;
import dev.stapes.model.InstanceState;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.testkit.RequiresGuest;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** A virtual machine does what a container does. */
@RequiresRoot
@RequiresTool("qemu-system-x86_64")
@RequiresTool("mkfs.btrfs")
@RequiresKernel("btrfs")
@RequiresGuest
@Tag("once")
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class GuestIT {
  private static final Duration LONG = Duration.ofSeconds(60);

  @RegisterExtension static final VmBench BENCH = new VmBench("btrfs");

  @Test
  void it_boots_executes_outlives_its_jvm_and_shuts_down() {
    Instance vm = BENCH.launch();
    assertEquals("hello\n", vm.exec("echo", "hello").orThrow().stdout());
    var both = vm.exec("sh", "-c", "echo out; echo err >&2; exit 3");
    assertEquals(3, both.exitCode());
    assertEquals("out\n", both.stdout());
    assertEquals("err\n", both.stderr());
    assertEquals(127, vm.exec("no-such-program").exitCode());
    ExecSpec other = ExecSpec.builder("sh", "-c", "id -u; pwd; echo $WHAT").user(1000).build();
    assertEquals("1000\n/\n\n", vm.exec(other).orThrow().stdout());

    GuestInfo.OperatingSystem system = vm.guest().system();
    assertEquals(Optional.of("stapes-guest"), system.id());
    assertEquals(vm.exec("uname", "-r").stdout().strip(), system.kernel().orElseThrow());

    String name = vm.name();
    Instance again = BENCH.reopen().instances().get(name);
    assertEquals(InstanceStatus.RUNNING, again.info().status());
    assertEquals("again\n", again.exec("echo", "again").orThrow().stdout());
    InstanceState state = again.state();
    assertTrue(state.memory().orElseThrow().bytes() > 50 << 20, state.toString());
    assertTrue(state.cpu().compareTo(Duration.ofSeconds(1)) > 0, state.toString());

    again.stop(Stop.graceful(LONG));
    assertEquals(InstanceStatus.STOPPED, again.info().status());
  }

  @Test
  void it_goes_back_to_a_snapshot_and_is_cloned() {
    Instance vm = BENCH.launch();
    vm.exec("sh", "-c", "echo before > /root/what; sync").orThrow();
    vm.snapshots().create("clean");
    vm.exec("sh", "-c", "echo after > /root/what; sync").orThrow();
    Instance copy = vm.copyTo(vm.name() + "-copy");
    vm.snapshots().restore("clean");
    assertEquals("before\n", vm.exec("cat", "/root/what").orThrow().stdout());
    copy.start();
    assertEquals("after\n", copy.exec("cat", "/root/what").orThrow().stdout());
    copy.stop(Stop.FORCE);
    vm.stop(Stop.FORCE);
    assertEquals(InstanceStatus.STOPPED, vm.info().status());
  }

  @Test
  void who_reads_late_reads_all_and_who_waits_hears_of_a_reboot() throws IOException {
    Instance vm = BENCH.launch();
    try (ExecProcess late =
        vm.execStreaming(ExecSpec.of("sh", "-c", "head -c 400000 /dev/zero; echo end >&2"))) {
      assertEquals('e', late.stderr().read()); // all has been written
      vm.exec("true").orThrow();
      assertEquals(400_000, late.stdout().readAllBytes().length);
    }
    StapesException gone =
        assertThrows(StapesException.class, () -> vm.exec("sh", "-c", "reboot -f; sleep 100"));
    assertEquals(Kind.UNAVAILABLE, gone.kind(), gone.toString());
    assertEquals("back\n", vm.exec("echo", "back").orThrow().stdout());
    vm.stop(Stop.FORCE);
  }

  @Test
  void it_is_suspended_and_goes_on() {
    Instance vm = BENCH.launch();
    vm.exec("true").orThrow();
    vm.freeze();
    assertEquals(InstanceStatus.FROZEN, vm.info().status());
    vm.unfreeze();
    assertEquals(InstanceStatus.RUNNING, vm.info().status());
    vm.exec("true").orThrow();
    vm.stop(Stop.FORCE);
  }

  @Test
  void its_console_is_shown_kept_and_typed_on() throws IOException {
    Instance vm = BENCH.launch();
    vm.exec("true").orThrow();
    try (Console console = vm.console()) {
      console.input().write("echo a$((40+2))b\n".getBytes(StandardCharsets.UTF_8));
      console.input().flush();
      StringBuilder shown = new StringBuilder();
      while (shown.indexOf("a42b") < 0) {
        int c = console.output().read();
        assertTrue(c >= 0, () -> "ended after: " + shown);
        shown.append((char) c);
      }
    }
    while (!vm.consoleLog().text().contains("a42b")) { // kept right after it was shown
      Thread.onSpinWait();
    }
    vm.stop(Stop.FORCE);
    assertTrue(vm.consoleLog().text().contains("a42b"));
  }

  /** Whether a process has a file open with O_DIRECT, see fdinfo of proc(5). */
  private static boolean isDirect(long pid) throws IOException {
    try (Stream<Path> all = Files.list(Path.of("/proc/" + pid + "/fdinfo"))) {
      for (Path each : all.toList()) {
        if (Pattern.compile("(?m)^flags:\\s+0\\d*[4567]\\d{4}$").matcher(read(each)).find()) {
          return true;
        }
      }
    }
    return false;
  }

  /** It may be closed by now. */
  private static String read(Path info) {
    try {
      return Files.readString(info);
    } catch (IOException e) {
      return "";
    }
  }

  @Test
  void it_boots_by_uefi_from_nvme_and_looks_first_where_the_priority_is_highest(
      @TempDir Path directory) throws IOException {
    Path blank = Files.write(directory.resolve("blank"), new byte[1 << 20]);
    Instance vm =
        BENCH
            .stapes()
            .instances()
            .launch(
                BENCH
                    .firmwareSpec()
                    .config("security.secureboot", "false")
                    .device("root", Device.root(disk -> disk.bus(Bus.NVME).cache(Cache.NONE)))
                    .device(
                        "blank",
                        Device.disk(
                            "/b",
                            disk -> disk.source(blank.toString()).bootPriority(9).bus(Bus.USB)))
                    .build());
    vm.exec("sh", "-c", "ls /sys/firmware/efi/efivars >/dev/null").orThrow();
    vm.exec("grep", "-q", "^/dev/nvme0n1p2 / ", "/proc/mounts").orThrow();
    assertTrue(isDirect(vm.state().pid().orElseThrow()), "past the memory of the host");
    String log = vm.consoleLog().text(); // where UEFI says what it does
    int failed = log.indexOf("/Pci(0x0,0x0)/USB("); // behind the port of a slot
    assertTrue(failed > 0 && failed < log.indexOf("BdsDxe: starting"), log);
    vm.stop(Stop.FORCE);
  }

  @Test
  void an_emulator_that_is_killed_is_a_machine_that_has_stopped() {
    Instance vm = BENCH.launch();
    long pid = vm.state().pid().orElseThrow();
    assertTrue(ProcessHandle.of(pid).orElseThrow().destroyForcibly());
    vm.await(InstanceStatus.STOPPED, LONG);
    assertEquals("killed by signal 9", vm.info().lastExit().orElseThrow().reason());
    vm.start();
    assertEquals(InstanceStatus.RUNNING, vm.info().status());
    vm.stop(Stop.FORCE);
  }
}
