package dev.stapes.examples.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.Events;
import dev.stapes.ExecProcess;
import dev.stapes.ImageSources;
import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.examples.survival.SmallDisk;
import dev.stapes.model.Event;
import dev.stapes.model.ExecSpec;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.testkit.HostLeftovers;
import dev.stapes.testkit.RequiresGuest;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import dev.stapes.testkit.TestGuest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** What stops a virtual machine although nobody wanted that is seen, told, and can be mended. */
@Tag("once")
@RequiresRoot
@RequiresTool("qemu-system-x86_64")
@RequiresGuest
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class TroubleInGuestIT {
  private static final Duration LONG = Duration.ofSeconds(60);

  @RegisterExtension static final VmBench BENCH = new VmBench("dir");

  @Test
  void a_full_disk_of_the_host_stops_a_machine_until_there_is_space(@TempDir Path directory)
      throws Exception {
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    Path root = directory.toRealPath().resolve("root");
    try (SmallDisk disk = new SmallDisk(directory.toRealPath().resolve("small"), 900)) {
      Path source = Files.createDirectory(disk.path().resolve("pool"));
      PoolSpec pool = PoolSpec.of("default", "dir").source(source.toString());
      try (Stapes stapes = Stapes.builder(root).defaultPool(pool).open()) {
        TestGuest guest = VmBench.guest();
        stapes.images().importFrom(ImageSources.split(guest.metadata(), guest.disk()), "guest");
        Instance vm = stapes.instances().launch(BENCH.spec().build());
        vm.exec("true").orThrow();
        writeUntilFull(stapes, vm, disk);
        vm.delete(Delete.FORCE);
      }
      assertEquals(Set.of(), HostLeftovers.of(root));
    }
  }

  private static void writeUntilFull(Stapes stapes, Instance vm, SmallDisk disk) throws Exception {
    BlockingQueue<Event> told = new LinkedBlockingQueue<>();
    disk.fill();
    try (Events.Subscription all = stapes.events().subscribe(told::add);
        ExecProcess write =
            vm.execStreaming(
                ExecSpec.of("sh", "-c", "dd if=/dev/urandom of=/root/much bs=1M count=48; sync"))) {
      vm.await(InstanceStatus.ERROR, LONG);
      assertEquals(InstanceStatus.ERROR, vm.state().status());
      Event.Lifecycle error = Incidents.await(told, "instance-error");
      assertEquals("instance " + vm.name(), error.subject());
      assertEquals("io-error", error.details().get("reason"));
      assertEquals("write", error.details().get("operation"));
      StapesException e = assertThrows(StapesException.class, () -> vm.exec("true"));
      assertEquals(Kind.UNAVAILABLE, e.kind(), e.toString());
      assertTrue(e.toString().contains("io-error"), e.toString());

      told.clear(); // each write that fails is told of
      vm.unfreeze(); // it fails again
      Incidents.await(told, "instance-error");
      vm.await(InstanceStatus.ERROR, LONG);

      disk.free();
      vm.unfreeze();
      assertEquals(0, write.await(LONG).orElseThrow());
      assertEquals(InstanceStatus.RUNNING, vm.info().status());
    }
  }

  @Test
  void a_panic_is_told_and_ends_with_a_reboot() throws Exception {
    Instance vm = BENCH.launch();
    vm.exec("sh", "-c", "modprobe pvpanic-pci; echo 5 > /proc/sys/kernel/panic").orThrow();
    BlockingQueue<Event> told = new LinkedBlockingQueue<>();
    try (Events.Subscription all = BENCH.stapes().events().subscribe(told::add)) {
      StapesException gone =
          assertThrows(
              StapesException.class, () -> vm.exec("sh", "-c", "echo c > /proc/sysrq-trigger"));
      assertEquals(Kind.UNAVAILABLE, gone.kind(), gone.toString());
      assertEquals(
          "guest-panicked", Incidents.await(told, "instance-error").details().get("reason"));
      assertEquals(InstanceStatus.ERROR, vm.info().status());
      vm.await(InstanceStatus.RUNNING, LONG); // its kernel starts again
      assertEquals("back\n", vm.exec("echo", "back").orThrow().stdout());
    }
    vm.delete(Delete.FORCE);
  }
}
