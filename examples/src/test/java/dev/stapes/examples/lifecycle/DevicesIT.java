package dev.stapes.examples.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.Instance;
import dev.stapes.Pool;
import dev.stapes.Stop;
import dev.stapes.model.Device;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.net.NetworkInterface;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

@RequiresRoot
@RequiresTool("lxc-start")
@RequiresTool("busybox")
@RequiresTool("mkfs.btrfs")
@RequiresKernel("btrfs")
class DevicesIT {
  @RegisterExtension static final Workbench BENCH = new Workbench("btrfs");

  private static Instance launch(String device, Device what) {
    return BENCH.stapes().instances().launch(BENCH.spec().device(device, what).build());
  }

  @Test
  void a_custom_volume_is_shared_and_outlives_its_instances() {
    Pool pool = BENCH.stapes().pools().byDefault();
    pool.volumes().create("data");
    Device disk = Device.disk("/data", d -> d.volume("default", "data"));
    Instance one = launch("data", disk);
    one.exec("sh", "-c", "echo shared > /data/file; chown 1000 /data/file").orThrow();
    assertEquals(
        Kind.BUSY,
        assertThrows(StapesException.class, () -> pool.volumes().get("data").delete()).kind());
    Instance two = launch("data", disk);
    assertEquals("shared\n", two.exec("cat", "/data/file").orThrow().stdout());
    assertEquals("1000\n", two.exec("stat", "-c", "%u", "/data/file").orThrow().stdout());
    one.delete(Delete.FORCE);
    two.delete(Delete.FORCE);
    pool.volumes().get("data").copyTo("copy");
    pool.volumes().get("data").delete();
    Instance three =
        launch("data", Device.disk("/data", d -> d.volume("default", "copy").readOnly()));
    assertEquals("shared\n", three.exec("cat", "/data/file").orThrow().stdout());
    assertNotEquals(0, three.exec("touch", "/data/new").exitCode());
    three.delete(Delete.FORCE);
    pool.volumes().get("copy").delete();
    assertTrue(pool.volumes().list().isEmpty());
  }

  @Test
  void a_directory_of_the_machine_appears_inside(@TempDir Path directory) throws IOException {
    Files.writeString(directory.resolve("file"), "from the machine");
    Instance web =
        launch("host", Device.disk("/mnt/host", d -> d.source(directory.toString()).readOnly()));
    assertEquals("from the machine", web.exec("cat", "/mnt/host/file").orThrow().stdout());
    assertNotEquals(0, web.exec("touch", "/mnt/host/new").exitCode());
    web.delete(Delete.FORCE);
  }

  @Test
  void an_optional_source_that_is_missing_is_left_out() {
    Instance web =
        launch("none", Device.disk("/mnt/none", d -> d.source("/no/such/place").optional()));
    web.exec("true").orThrow();
    web.delete(Delete.FORCE);
  }

  @Test
  void a_pair_of_interfaces_connects_host_and_instance() throws IOException {
    String hostName = "st" + ProcessHandle.current().pid() % 100_000 + "p";
    Instance web = launch("eth0", Device.Nic.p2p().hostName(hostName).address("00:16:3e:00:00:07"));
    assertEquals(
        "00:16:3e:00:00:07\n", web.exec("cat", "/sys/class/net/eth0/address").orThrow().stdout());
    assertTrue(NetworkInterface.getByName(hostName) != null);
    assertTrue(web.state().network().containsKey("eth0"));
    web.stop(Stop.FORCE);
    BENCH.reopen();
    long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    while (NetworkInterface.getByName(hostName) != null) { // the kernel removes it behind
      assertTrue(System.nanoTime() < deadline, hostName);
      Thread.onSpinWait();
    }
    Workbench.forceDelete(BENCH.stapes().instances().get(web.id()));
  }

  @Test
  void a_character_device_works_inside_and_others_do_not() {
    Instance web =
        launch("full", new Device.UnixChar("/dev/full", "/dev/myfull", 0, 0, 0666, true));
    assertTrue(
        web.exec("sh", "-c", "echo x > /dev/myfull").stderr().contains("No space"),
        "writing to /dev/full");
    assertNotEquals(0, web.exec("mknod", "/tmp/kmsg", "c", "1", "11").exitCode());
    web.delete(Delete.FORCE);
  }

  @Test
  void a_device_cannot_come_or_go_while_the_instance_runs() {
    Instance web = BENCH.launch();
    assertEquals(
        Kind.BUSY,
        assertThrows(
                StapesException.class,
                () -> web.update(u -> u.device("c", Device.UnixChar.of("/dev/full"))))
            .kind());
    web.stop(Stop.FORCE);
    web.update(u -> u.device("c", Device.UnixChar.of("/dev/full")));
    web.start();
    web.exec("test", "-c", "/dev/full").orThrow();
    web.delete(Delete.FORCE);
  }

  @Test
  void a_root_disk_of_limited_size_is_full_when_it_is_full() {
    Instance web = launch("root", Device.root(d -> d.pool("default").size(Size.ofMebibytes(24))));
    assertNotEquals(
        0, web.exec("dd", "if=/dev/urandom", "of=/root/big", "bs=1M", "count=40").exitCode());
    web.exec("rm", "/root/big").orThrow();
    web.update(
        u -> u.device("root", Device.root(d -> d.pool("default").size(Size.ofMebibytes(80)))));
    web.exec("dd", "if=/dev/urandom", "of=/root/big", "bs=1M", "count=40").orThrow();
    assertTrue(web.state().diskUsage().orElseThrow().bytes() > 1 << 20);
    web.delete(Delete.FORCE);
  }
}
