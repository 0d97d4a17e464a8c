package dev.stapes.examples.machine;

import static dev.stapes.examples.machine.VmBench.output;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Instance;
import dev.stapes.Stop;
import dev.stapes.model.Device;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.qemu.driver.QemuDriverProvider;
import dev.stapes.testkit.RequiresGuest;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** What the driver does that depends on QEMU's version, with one that is newer. */
@Tag("once")
@RequiresRoot
@RequiresTool("qemu10-system-x86_64")
@RequiresTool("mkfs.btrfs")
@RequiresKernel("btrfs")
@RequiresGuest
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class NewerQemuIT {
  @RegisterExtension
  static final VmBench BENCH = new VmBench("btrfs", new QemuDriverProvider("qemu10-system-x86_64"));

  @TempDir Path directory;

  @Test
  void a_machine_lives_and_changes_as_with_the_older_one() throws Exception {
    Instance vm =
        BENCH
            .stapes()
            .instances()
            .launch(
                BENCH
                    .spec()
                    .config("migration.stateful", "true")
                    .device("root", Device.root(disk -> disk.cache(Device.DiskIo.Cache.NONE)))
                    .build());
    String programs =
        Files.readString(Path.of("/proc/" + vm.state().pid().orElseThrow() + "/maps"));
    assertTrue(programs.contains("qemu10"), programs.lines().findFirst().orElse(""));
    StapesException e =
        assertThrows(
            StapesException.class,
            () -> vm.update(changes -> changes.device("root", Device.root(disk -> {}))));
    assertEquals(Kind.BUSY, e.kind(), e::toString);
    assertTrue(e.toString().contains("device root"), e::toString);

    vm.exec("sh", "-c", "mkdir /tmp/m && mount -t tmpfs m /tmp/m && echo kept > /tmp/m/in")
        .orThrow();
    vm.stop(Stop.STATEFUL);
    assertEquals(InstanceStatus.STOPPED, vm.info().status());
    vm.start();
    assertEquals("kept", output(vm, "cat /tmp/m/in"));

    vm.snapshots().create("one");
    Path file = Files.write(directory.resolve("disk"), new byte[4 << 20]);
    long memory = Long.parseLong(output(vm, "grep MemTotal /proc/meminfo | tr -dc 0-9"));
    vm.update(
        changes ->
            changes
                .device("data", Device.disk("/data", disk -> disk.source(file.toString())))
                .device("eth0", Device.Nic.p2p())
                .config("limits.memory", Size.ofMebibytes(512).toString()));
    output(vm, "until [ -e /sys/class/net/eth0 ]; do usleep 50000; done");
    output(vm, "until grep -q data /sys/block/*/serial; do usleep 50000; done");
    String grown = "until [ $(grep MemTotal /proc/meminfo | tr -dc 0-9) -gt ";
    output(vm, grown + (memory + (100 << 10)) + " ]; do usleep 50000; done");
    vm.update(changes -> changes.removeDevice("data").removeDevice("eth0"));
    output(vm, "while [ -e /sys/class/net/eth0 ]; do usleep 50000; done");

    vm.freeze();
    String name = vm.name();
    Instance again = BENCH.reopen().instances().get(name);
    assertEquals(InstanceStatus.FROZEN, again.info().status());
    again.unfreeze();
    again.snapshots().restore("one");
    assertEquals("no", output(again, "[ -e /tmp/m ] || echo no"));
    again.stop(Stop.graceful(Duration.ofSeconds(60)));
    assertEquals(InstanceStatus.STOPPED, again.info().status());
  }
}
