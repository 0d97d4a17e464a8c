package dev.stapes.examples.machine;

import static dev.stapes.examples.machine.VmBench.output;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Instance;
import dev.stapes.InstanceUpdate;
import dev.stapes.Stop;
import dev.stapes.model.Device;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.testkit.RequiresGuest;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.time.Duration;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A machine of type microvm, which has no PCI; emulated, wherever the test runs. */
@Tag("once")
@RequiresRoot
@RequiresTool("qemu-system-x86_64")
@RequiresKernel("steady-clock")
@RequiresGuest
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class MicrovmInGuestIT {
  @RegisterExtension static final VmBench BENCH = new VmBench("dir");

  private static void refused(Instance vm, Consumer<InstanceUpdate> change) {
    StapesException e = assertThrows(StapesException.class, () -> vm.update(change));
    assertTrue(e.kind() == Kind.UNSUPPORTED || e.kind() == Kind.BUSY, e.toString());
    assertTrue(e.toString().contains("microvm"), e.toString());
  }

  @Test
  void it_boots_runs_programs_and_goes_on_from_its_memory() {
    Instance vm =
        BENCH
            .stapes()
            .instances()
            .launch(
                BENCH
                    .spec()
                    .config("qemu.machine", "microvm")
                    .config("qemu.accelerator", "tcg")
                    .config("migration.stateful", "true")
                    .build());
    assertEquals("2", output(vm, "nproc"));
    assertEquals("0", output(vm, "ls /sys/bus/pci/devices 2>/dev/null | wc -l"));
    String source = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    assertTrue(output(vm, "cat " + source).startsWith("tsc"), "and it knows how fast that goes");
    output(vm, "mkdir /tmp/m && mount -t tmpfs m /tmp/m && echo kept > /tmp/m/in && sync");
    refused(vm, changes -> changes.config("limits.cpu", "1"));
    refused(vm, changes -> changes.device("eth0", Device.Nic.p2p()));
    vm.update(changes -> changes.config("limits.memory", "300MiB"));
    vm.update(changes -> changes.config("limits.memory", "384MiB"));

    vm.stop(Stop.STATEFUL);
    vm.start();
    assertEquals("kept", output(vm, "cat /tmp/m/in"));
    vm.snapshots().create("one");
    vm.stop(Stop.graceful(Duration.ofSeconds(60)));
    assertEquals(InstanceStatus.STOPPED, vm.info().status());
    vm.snapshots().restore("one");
  }
}
