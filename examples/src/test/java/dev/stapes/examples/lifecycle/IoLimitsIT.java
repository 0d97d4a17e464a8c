package dev.stapes.examples.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.Instance;
import dev.stapes.Pool;
import dev.stapes.Stop;
import dev.stapes.model.Device;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** I/O limits of disks, as the kernel has them. */
@RequiresRoot
@RequiresTool("lxc-start")
@RequiresTool("busybox")
@RequiresTool("mkfs.btrfs")
@RequiresKernel("btrfs")
@RequiresKernel("cgroup-v1-throttle")
class IoLimitsIT {
  private static final String NONE = "";

  @RegisterExtension static final Workbench BENCH = new Workbench("btrfs");

  /** The device of the pool's loop file, {@code major:minor}. */
  private static String poolDevice() throws IOException {
    try (Stream<Path> devices = Files.list(Path.of("/sys/block"))) {
      for (Path device : devices.toList()) {
        Path backing = device.resolve("loop/backing_file");
        if (Files.exists(backing) && Files.readString(backing).startsWith(BENCH.root() + "/")) {
          return Files.readString(device.resolve("dev")).strip();
        }
      }
    }
    throw new AssertionError("the pool has no loop device");
  }

  private static Device root(Consumer<Device.Disk.Builder> limits) {
    return Device.root(
        disk -> {
          disk.pool("default");
          limits.accept(disk);
        });
  }

  private static Instance launch(Consumer<Device.Disk.Builder> limits) {
    return BENCH.stapes().instances().launch(BENCH.spec().device("root", root(limits)).build());
  }

  /** What is throttled: bytes read, bytes written, reads, writes. */
  private static List<String> throttles(Instance web) throws IOException {
    return List.of(
        HostView.cgroup(web, "blkio", "blkio.throttle.read_bps_device"),
        HostView.cgroup(web, "blkio", "blkio.throttle.write_bps_device"),
        HostView.cgroup(web, "blkio", "blkio.throttle.read_iops_device"),
        HostView.cgroup(web, "blkio", "blkio.throttle.write_iops_device"));
  }

  @Test
  void the_root_disk_is_limited_where_its_pool_lies() throws IOException {
    Instance web = launch(disk -> disk.limitRead("10MiB").limitWrite("300iops"));
    String device = poolDevice();
    List<String> wanted = List.of(device + " 10485760", NONE, NONE, device + " 300");
    assertEquals(wanted, throttles(web));
    web.exec("sh", "-c", "dd if=/dev/zero of=/root/f bs=64k count=4; sync").orThrow();
    web.restart(Stop.FORCE);
    assertEquals(wanted, throttles(web));
    web.delete(Delete.FORCE);
  }

  @Test
  void limits_of_a_running_disk_change_at_once_and_go_when_they_are_removed() throws IOException {
    Instance web = launch(disk -> disk.limitRead("10MiB"));
    String device = poolDevice();
    web.update(
        update -> update.device("root", root(d -> d.limitRead("500iops").limitWrite("3MB"))));
    assertEquals(List.of(NONE, device + " 3000000", device + " 500", NONE), throttles(web));
    web.update(update -> update.device("root", root(disk -> {})));
    assertEquals(List.of(NONE, NONE, NONE, NONE), throttles(web));
    web.delete(Delete.FORCE);
  }

  @Test
  void a_limit_of_an_earlier_jvm_can_still_be_removed() throws IOException {
    Instance before = launch(disk -> disk.limitRead("10MiB"));
    Instance web = BENCH.reopen().instances().get(before.id());
    assertEquals(List.of(poolDevice() + " 10485760", NONE, NONE, NONE), throttles(web));
    web.update(update -> update.device("root", root(disk -> {})));
    assertEquals(List.of(NONE, NONE, NONE, NONE), throttles(web));
    web.delete(Delete.FORCE);
  }

  @Test
  void two_disks_on_one_device_are_limited_by_the_lower_of_their_limits() throws IOException {
    Pool pool = BENCH.stapes().pools().byDefault();
    pool.volumes().create("data");
    Device data =
        Device.disk(
            "/data", d -> d.volume("default", "data").limitRead("9MiB").limitWrite("7iops"));
    Instance web =
        BENCH
            .stapes()
            .instances()
            .launch(
                BENCH
                    .spec()
                    .device("root", root(disk -> disk.limitRead("4MiB").limitWrite("2MiB")))
                    .device("data", data)
                    .build());
    String device = poolDevice();
    assertEquals(
        List.of(device + " 4194304", device + " 2097152", NONE, device + " 7"), throttles(web));
    web.update(update -> update.device("root", root(disk -> {})));
    assertEquals(List.of(device + " 9437184", NONE, NONE, device + " 7"), throttles(web));
    web.delete(Delete.FORCE);
    pool.volumes().get("data").delete();
  }

  @Test
  void one_limit_can_be_meant_for_reads_and_writes() throws IOException {
    Device disk = Device.parse("root", Map.of("type", "disk", "path", "/", "limits.max", "6MiB"));
    Instance web = BENCH.stapes().instances().launch(BENCH.spec().device("root", disk).build());
    String device = poolDevice();
    assertEquals(List.of(device + " 6291456", device + " 6291456", NONE, NONE), throttles(web));
    web.delete(Delete.FORCE);
  }

  @Test
  void rates_that_are_none_are_refused_by_their_text() {
    for (String wrong :
        List.of("fast", "0", "-5MiB", "0iops", "5000000000iops", "1.5iops", "9XB")) {
      StapesException e =
          assertThrows(
              StapesException.class,
              () -> Device.disk("/", disk -> disk.limitRead(wrong)),
              () -> wrong);
      assertEquals(Kind.INVALID, e.kind(), wrong);
      assertTrue(e.toString().contains(wrong), e.toString());
    }
  }

  @Test
  void a_disk_in_memory_cannot_be_limited() throws IOException {
    Path memory = Files.createTempDirectory(Path.of("/dev/shm"), "stapes-it");
    try {
      Device disk = Device.disk("/mnt", d -> d.source(memory.toString()).limitRead("1MiB"));
      StapesException e =
          assertThrows(
              StapesException.class,
              () -> BENCH.stapes().instances().launch(BENCH.spec().device("memory", disk).build()));
      assertEquals(Kind.UNSUPPORTED, e.kind());
      assertTrue(e.toString().contains(memory.toString()), e.toString());
      assertTrue(BENCH.stapes().instances().list().isEmpty());
    } finally {
      Files.delete(memory);
    }
  }

  @Test
  @RequiresKernel("cgroup-v1-bfq")
  void who_comes_first_at_the_disks_is_a_weight() throws IOException {
    Instance web =
        BENCH
            .stapes()
            .instances()
            .launch(BENCH.spec().limits(limits -> limits.diskPriority(10)).build());
    Path file = HostView.cgroup(web, "blkio").resolve("blkio.bfq.weight");
    String most = Files.readString(file).strip();
    web.update(update -> update.limits(limits -> limits.diskPriority(0)));
    String least = Files.readString(file).strip();
    assertTrue(Integer.parseInt(least) < Integer.parseInt(most), least + " < " + most);
    web.update(update -> update.config("limits.disk.priority", ""));
    assertEquals("100", Files.readString(file).strip());
    web.delete(Delete.FORCE);
  }
}
