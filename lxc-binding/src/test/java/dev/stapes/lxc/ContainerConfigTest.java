package dev.stapes.lxc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.lxc.ffi.ContainerCalls;
import dev.stapes.lxc.ffi.Liblxc;
import dev.stapes.lxc.ffi.LockFiles;
import dev.stapes.model.IdMapping;
import dev.stapes.model.StapesException;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@RequiresTool("lxc-start")
class ContainerConfigTest {
  @Test
  void a_minimal_container_is_this() {
    assertEquals(
        """
        lxc.uts.name = web
        lxc.rootfs.path = dir:/pool/web
        lxc.init.cmd = /sbin/init
        lxc.net.0.type = empty
        lxc.mount.auto = proc:mixed sys:mixed
        lxc.autodev = 1
        lxc.pty.max = 1024
        lxc.tty.max = 0
        lxc.cap.drop = mac_admin mac_override sys_module sys_rawio sys_time
        """,
        ContainerConfig.of("web", Path.of("/pool/web")).build().text());
  }

  @Test
  void a_full_container_is_this() {
    assertEquals(
        """
        lxc.uts.name = web
        lxc.rootfs.path = dir:/pool/with blank
        lxc.rootfs.options = idmap=container
        lxc.idmap = u 0 1000000 1000
        lxc.idmap = u 1000 1000 1
        lxc.idmap = g 0 1000000 65536
        lxc.namespace.keep = uts
        lxc.namespace.share.net = /proc/42/ns/net
        lxc.init.cmd = /dev/.stapes/busybox sh boot
        lxc.net.0.type = veth
        lxc.net.0.name = eth0
        lxc.net.0.veth.pair = vethweb
        lxc.net.0.hwaddr = 00:16:3e:00:00:01
        lxc.net.0.mtu = 1400
        lxc.net.0.flags = up
        lxc.mount.auto = proc:mixed sys:mixed cgroup:mixed:force
        lxc.mount.entry = /data/a\\040b mnt/a\\040b none bind,ro,create=dir 0 0
        lxc.mount.entry = tmpfs dev/shm tmpfs nosuid,nodev,create=dir 0 0
        lxc.autodev = 1
        lxc.pty.max = 1024
        lxc.tty.max = 0
        lxc.console.logfile = /run/web/console
        lxc.console.size = 131072
        lxc.console.rotate = 1
        lxc.cap.drop = sys_time
        lxc.seccomp.profile = /run/web/seccomp
        lxc.cgroup.pids.max = 100
        lxc.prlimit.nofile = 100:200
        lxc.environment = A=
        lxc.environment = B=" 'quoted' \\
        lxc.log.file = /run/web/log
        lxc.log.level = DEBUG
        lxc.sysctl.net.ipv4.ip_forward = 1
        """,
        full(Path.of("/pool/with blank")).text());
  }

  @Test
  void liblxc_reads_the_same_values(@TempDir Path directory) throws IOException {
    Liblxc.Probe probe = Liblxc.probe();
    org.junit.jupiter.api.Assertions.assertTrue(
        probe instanceof Liblxc.Probe.Found, probe::toString);
    Path file = Files.createFile(directory.resolve("config"));
    Files.writeString(directory.resolve("seccomp"), SeccompPolicy.standard().text());
    Files.writeString(file, full(directory).text());
    try (ContainerCalls container =
        probe.ifFound().orElseThrow().container("x", directory.toString())) {
      container.loadConfig(file.toString());
      assertEquals(
          Optional.of("u 0 1000000 1000\nu 1000 1000 1\ng 0 1000000 65536"),
          container.configItem("lxc.idmap"));
      assertEquals(Optional.of("A=\nB=\" 'quoted' \\"), container.configItem("lxc.environment"));
      assertEquals(Optional.of("100:200"), container.configItem("lxc.prlimit.nofile"));
      assertEquals(Optional.of("100"), container.configItem("lxc.cgroup.pids.max"));
      assertTrue(
          container
              .configItem("lxc.mount.entry")
              .orElseThrow()
              .startsWith("/data/a\\040b mnt/a\\040b none bind,ro,create=dir"));
    } finally {
      LockFiles.remove(directory);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "-web", "we b", "web\nlxc.hook.start = /bin/sh", "wéb"})
  void what_is_no_host_name_is_refused(String name) {
    StapesException thrown =
        assertThrows(StapesException.class, () -> ContainerConfig.of(name, Path.of("/")));
    assertEquals(StapesException.Kind.INVALID, thrown.kind());
    assertTrue(String.valueOf(thrown.getMessage()).contains("\"" + name + "\""));
  }

  @Test
  void no_value_starts_a_line_of_its_own() {
    ContainerConfig.Builder builder = ContainerConfig.of("web", Path.of("/r"));
    builder.environment("A", "1\nlxc.hook.start = /bin/sh");

    assertThrows(StapesException.class, builder::build);
    assertThrows(StapesException.class, () -> builder.rlimit("nofile", "1\n2"));
    assertThrows(StapesException.class, () -> builder.environment("A=B", ""));
    assertThrows(StapesException.class, () -> builder.init("/bin/sh", "a b"));
    assertThrows(StapesException.class, () -> builder.dropCapabilities(List.of("a b")));
    assertThrows(StapesException.class, () -> builder.console(Path.of("/c"), 1000));
  }

  private static LxcConfig full(Path root) {
    IdMapping mapping =
        new IdMapping(
            List.of(new IdMapping.Range(1000, 1000, 1), new IdMapping.Range(0, 1_000_000, 1000)),
            List.of(new IdMapping.Range(0, 1_000_000, 65_536)));
    boolean real = Files.isDirectory(root);
    return ContainerConfig.of("web", root)
        .idMapping(mapping, true)
        .namespaces(
            Namespaces.own()
                .keep(Namespaces.Kind.UTS)
                .share(Namespaces.Kind.NET, Path.of("/proc/42/ns/net")))
        .init("/dev/.stapes/busybox", "sh", "boot")
        .net(
            new ContainerConfig.Net.Veth(
                "eth0",
                Optional.of("vethweb"),
                Optional.of("00:16:3e:00:00:01"),
                Optional.of(1400)))
        .automaticMounts("proc:mixed sys:mixed cgroup:mixed:force")
        .mount(MountEntry.bind("/data/a b", "mnt/a b", "ro", "create=dir"))
        .mount(
            new MountEntry("tmpfs", "dev/shm", "tmpfs", List.of("nosuid", "nodev", "create=dir")))
        .dropCapabilities(List.of("sys_time"))
        .seccomp(real ? root.resolve("seccomp") : Path.of("/run/web/seccomp"))
        .cgroup("lxc.cgroup.pids.max", "100")
        .rlimit("nofile", "100:200")
        .environment("B", "\" 'quoted' \\")
        .environment("A", "")
        .console(real ? root.resolve("console") : Path.of("/run/web/console"), 128 << 10)
        .log(real ? root.resolve("log") : Path.of("/run/web/log"), "debug")
        .raw(RawLxc.parse("lxc.sysctl.net.ipv4.ip_forward = 1"))
        .build();
  }
}
