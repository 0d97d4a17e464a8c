package dev.stapes.examples.machine;

import static dev.stapes.examples.machine.GuestCounter.count;
import static dev.stapes.examples.machine.VmBench.output;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.Instance;
import dev.stapes.Memory;
import dev.stapes.Stop;
import dev.stapes.examples.survival.DoomedOnce;
import dev.stapes.model.Device;
import dev.stapes.model.Device.DiskIo.Bus;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.SnapshotSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.testkit.RequiresGuest;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Year;
import java.time.ZoneOffset;
import java.util.List;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** A guest goes on from memory that was saved; one boot serves all of it but the last. */
@Tag("once")
@RequiresRoot
@RequiresTool("qemu-system-x86_64")
@RequiresTool("mkfs.btrfs")
@RequiresTool("ip")
@RequiresTool("nsenter")
@RequiresKernel("btrfs")
@RequiresGuest
@TestMethodOrder(MethodOrderer.MethodName.class)
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class StatefulIT {

  @RegisterExtension static final VmBench BENCH = new VmBench("btrfs");

  @TempDir static Path directory;

  /** With an interface and a disk from its start, until one of the tests takes them away. */
  private static Instance vm() {
    return BENCH
        .stapes()
        .instances()
        .find("counting")
        .orElseGet(
            () -> {
              Instance vm =
                  BENCH
                      .stapes()
                      .instances()
                      .launch(
                          BENCH
                              .spec("counting")
                              .config("migration.stateful", "true")
                              .device("eth0", Device.Nic.p2p())
                              .device("data", Device.disk("/d", d -> d.source(data().toString())))
                              .device("more", disk("more.img", Bus.VIRTIO_SCSI))
                              .build());
              GuestCounter.start(vm);
              count(vm);
              return vm;
            });
  }

  private static Device disk(String name, Bus bus) {
    return Device.disk("/m", disk -> disk.source(file(name).toString()).bus(bus));
  }

  private static Path data() {
    return file("data.img");
  }

  /** A file that is the disk of a guest. */
  private static Path file(String name) {
    Path file = directory.resolve(name);
    if (Files.notExists(file)) {
      try {
        Files.write(file, new byte[1 << 20]);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return file;
  }

  /** The same without them. */
  private static Instance plain() {
    Instance vm = vm();
    if (vm.info().devices().size() > 1) {
      vm.update(change -> change.removeDevice("eth0").removeDevice("data").removeDevice("more"));
    }
    return vm;
  }

  @Test
  void a_its_interface_and_its_disk_are_where_they_were() throws Exception {
    Instance vm = vm();
    String address = output(vm, "cat /sys/class/net/eth0/address");
    vm.exec("sh", "-c", "ip link set eth0 up; ip addr add 10.213.79.2/24 dev eth0").orThrow();
    vm.exec("sh", "-c", "printf 'not yet' | dd of=/dev/vdb conv=notrunc").orThrow();
    refused(
        Kind.UNSUPPORTED,
        "with disk data",
        () -> vm.snapshots().create(SnapshotSpec.of("no").withMemory()));
    vm.exec("modprobe", "-a", "virtio_scsi", "sd_mod").orThrow();
    output(vm, "until [ -b /dev/sda ]; do usleep 20000; done");
    vm.update(change -> change.device("fast", disk("fast.img", Bus.NVME)));
    refused(Kind.CONFLICT, "io.bus nvme, as device fast is", () -> vm.stop(Stop.STATEFUL));
    vm.update(change -> change.removeDevice("fast"));
    vm.stop(Stop.STATEFUL);
    FileTime written = Files.getLastModifiedTime(data());
    Files.setLastModifiedTime(data(), FileTime.fromMillis(0));
    refused(Kind.CONFLICT, "its device disk-data was 1048576 bytes of", vm::start);
    Files.setLastModifiedTime(data(), written);
    vm.start();
    assertEquals(address, output(vm, "cat /sys/class/net/eth0/address"));
    vm.exec("sync").orThrow();
    assertTrue(Files.readString(data(), StandardCharsets.ISO_8859_1).startsWith("not yet"));
    vm.exec("sh", "-c", "printf LATER | dd of=/dev/vdb conv=notrunc,fsync").orThrow();
    assertTrue(Files.readString(data(), StandardCharsets.ISO_8859_1).startsWith("LATERet"));
    vm.exec("sh", "-c", "printf THERE | dd of=/dev/sda conv=notrunc,fsync").orThrow();
    String more = Files.readString(file("more.img"), StandardCharsets.ISO_8859_1);
    assertTrue(more.startsWith("THERE"));
    answersAndGoes(vm, vm.info().config().text("volatile.eth0.host_name").orElseThrow());
    assertEquals(List.of("root"), List.copyOf(vm.info().devices().keySet()));
  }

  /**
   * Both directions of an interface whose other end gets an address. It is removed while its
   * namespace is there, with which it would be gone: QEMU 10 ends when it resets such a one.
   */
  private static void answersAndGoes(Instance vm, String tap) throws Exception {
    Process network = new ProcessBuilder("unshare", "--net", "sleep", "60").start();
    try {
      String pid = Long.toString(network.pid());
      Path own = Files.readSymbolicLink(Path.of("/proc/self/ns/net"));
      while (Files.readSymbolicLink(Path.of("/proc/" + pid + "/ns/net")).equals(own)) {
        assertTrue(network.isAlive());
        Thread.onSpinWait();
      }
      succeeds("ip", "link", "set", tap, "netns", pid);
      String up = "ip address add 10.213.79.1/24 dev " + tap + " && ip link set " + tap + " up";
      succeeds("nsenter", "--net", "--target", pid, "sh", "-c", up);
      vm.exec("ping", "-c", "1", "-w", "20", "10.213.79.1").orThrow();
      plain();
    } finally {
      network.destroyForcibly().waitFor();
    }
  }

  private static void succeeds(String... command) throws Exception {
    assertEquals(0, new ProcessBuilder(command).inheritIO().start().waitFor());
  }

  @Test
  void b_it_is_stopped_with_its_memory_and_goes_on_with_the_right_time() {
    Instance vm = plain();
    vm.exec("date", "-s", "2001-02-03 04:05").orThrow();
    long before = count(vm);
    vm.stop(Stop.STATEFUL);
    assertEquals(InstanceStatus.STOPPED, vm.info().status());
    assertTrue(vm.info().stateful());
    vm.start();
    assertEquals(InstanceStatus.RUNNING, vm.info().status());
    assertFalse(vm.info().stateful());
    assertEquals(Year.now(ZoneOffset.UTC).toString(), output(vm, "date -u +%Y"));
    long after = count(vm);
    assertTrue(after > before && after < before + 10_000, before + " then " + after);
    vm.stop(Stop.STATEFUL);
    Instance again = BENCH.reopen().instances().get("counting");
    again.start();
    assertTrue(count(again) > after);
  }

  @Test
  void c_it_goes_back_to_a_snapshot_with_its_memory_and_a_copy_of_that_is_itself() {
    Instance vm = plain();
    vm.exec("sh", "-c", "echo before > /root/what; echo kept > /mnt/what; sync").orThrow();
    vm.exec("date", "-s", "2001-02-03 04:05").orThrow();
    vm.snapshots().create(SnapshotSpec.of("then").withMemory());
    assertTrue(vm.snapshots().get("then").stateful());
    assertEquals(InstanceStatus.RUNNING, vm.info().status());
    long then = count(vm);
    vm.exec("sh", "-c", "echo after > /root/what; echo lost > /mnt/what; sync").orThrow();
    vm.exec("sh", "-c", "kill -9 $(cat /mnt/pid)").orThrow();
    vm.snapshots().restore("then", Memory.KEPT);
    assertEquals(InstanceStatus.RUNNING, vm.info().status());
    assertEquals("before kept", output(vm, "echo $(cat /root/what /mnt/what)"));
    assertTrue(count(vm) < then + 10_000);

    String name = vm.name();
    Instance copy = vm.snapshots().copyTo("then", name + "-copy", Memory.KEPT);
    assertTrue(copy.info().stateful());
    copy.start();
    assertEquals("before kept", output(copy, "echo $(cat /root/what /mnt/what)"));
    assertEquals(
        name + "-copy",
        output(copy, "while [ $(hostname) != " + name + "-copy ]; do usleep 1000; done; hostname"));
    vm.exec("sh", "-c", "echo mine > /root/what; sync").orThrow();
    assertEquals("before", output(copy, "cat /root/what"));
    assertTrue(count(copy) > 0);
    copy.delete(Delete.FORCE);
    isItselfAlsoWhereItsJvmDied(vm);
    Instance same = plain();
    same.snapshots().create("plain");
    refused(Kind.INVALID, "it has no memory", () -> same.snapshots().restore("plain", Memory.KEPT));
  }

  private static void isItselfAlsoWhereItsJvmDied(Instance vm) {
    String name = vm.name() + "-orphan";
    vm.snapshots().copyTo("then", name, Memory.KEPT);
    Instance copy =
        BENCH.reopenAfter(root -> DoomedOnce.inStart(root, "btrfs", name)).instances().get(name);
    assertEquals(InstanceStatus.RUNNING, copy.info().status());
    assertFalse(copy.info().stateful());
    assertEquals("before kept", output(copy, "echo $(cat /root/what /mnt/what)"));
    assertEquals(
        name,
        output(copy, "while [ $(hostname) != " + name + " ]; do usleep 1000; done; hostname"));
    assertEquals(Year.now(ZoneOffset.UTC).toString(), output(copy, "date -u +%Y"));
    copy.delete(Delete.FORCE);
  }

  private static void refused(Kind kind, String words, Runnable call) {
    StapesException e = assertThrows(StapesException.class, call::run);
    assertEquals(kind, e.kind(), e::toString);
    assertTrue(e.toString().contains(words), e::toString);
  }

  @Test
  void d_a_snapshot_of_a_running_guest_has_what_was_not_synced_and_the_guest_goes_on() {
    Instance vm = plain();
    vm.exec("sh", "-c", "echo unsynced > /root/late").orThrow();
    vm.snapshots().create("late");
    vm.exec("sh", "-c", "echo x > /root/more; sync").orThrow(); // thawed
    vm.snapshots().restore("late"); // boots
    assertEquals("unsynced", output(vm, "cat /root/late"));
    assertEquals("", output(vm, "cat /root/more 2>/dev/null || true"));
  }
}
