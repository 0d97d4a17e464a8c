package dev.stapes.examples.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.Instance;
import dev.stapes.Stop;
import dev.stapes.model.Device;
import dev.stapes.model.ExecSpec;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Whose ids a container has, seen from inside and from the machine. */
@RequiresRoot
@RequiresTool("lxc-start")
@RequiresTool("busybox")
@RequiresTool("mkfs.btrfs")
@RequiresKernel("btrfs")
class IdentityIT {
  private static final int SYS_MODULE = 16;
  private static final int SYS_RAWIO = 17;
  private static final int SYS_CHROOT = 18;
  private static final int SYS_TIME = 25;

  @RegisterExtension static final Workbench BENCH = new Workbench("btrfs");

  private static Instance launch(String... config) {
    return BENCH.stapes().instances().launch(spec(config).build());
  }

  private static InstanceSpec.Builder spec(String... config) {
    InstanceSpec.Builder spec = BENCH.spec();
    for (int i = 0; i < config.length; i += 2) {
      spec.config(config[i], config[i + 1]);
    }
    return spec;
  }

  private static Instance isolated(String... config) {
    return BENCH
        .stapes()
        .instances()
        .launch(spec(config).config("security.idmap.isolated", "true").build());
  }

  private static StapesException refused(String... config) {
    return assertThrows(
        StapesException.class, () -> BENCH.stapes().instances().create(spec(config).build()));
  }

  @Test
  void root_of_a_privileged_container_is_root_of_the_machine_with_less_power() throws IOException {
    Instance web = launch("security.privileged", "true");
    assertEquals("0\n", web.exec("id", "-u").orThrow().stdout());
    assertEquals("0\t0\t0\t0", HostView.status(web, "Uid"));
    assertEquals(List.of(0L, 4_294_967_295L), HostView.firstRange(web));
    assertEquals(
        Files.readSymbolicLink(Path.of("/proc/self/ns/user")),
        Files.readSymbolicLink(HostView.process(web).resolve("ns/user")));
    assertEquals("2", HostView.status(web, "Seccomp"));
    assertTrue(HostView.mayHave(web, SYS_CHROOT));
    for (int dropped : List.of(SYS_MODULE, SYS_RAWIO, SYS_TIME)) {
      assertTrue(!HostView.mayHave(web, dropped), "capability " + dropped);
    }
    web.exec("sh", "-c", "touch /root/r; touch /root/u; chown 1000:1001 /root/u").orThrow();
    assertEquals(List.of(0, 0), HostView.owner(web, "/root/r"));
    assertEquals(List.of(1000, 1001), HostView.owner(web, "/root/u"));
    web.delete(Delete.FORCE);
  }

  @Test
  void a_privileged_container_reaches_neither_the_disks_nor_the_settings_of_the_machine() {
    Instance web = launch("security.privileged", "true");
    for (String node : List.of("b 7 0", "c 1 1", "c 10 237")) {
      web.exec("sh", "-c", "rm -f /root/node; mknod /root/node " + node).orThrow();
      assertTrue(
          web.exec("sh", "-c", ": < /root/node").stderr().contains("Operation not permitted"),
          node);
    }
    for (String setting : List.of("/proc/sys/kernel/panic", "/sys/kernel/profiling")) {
      assertTrue(
          web.exec("sh", "-c", ": >> " + setting).stderr().contains("Read-only file system"),
          setting);
    }
    web.delete(Delete.FORCE);
  }

  @Test
  void a_container_that_was_privileged_keeps_its_files_when_it_is_so_no_longer()
      throws IOException {
    Instance web = launch("security.privileged", "true");
    web.exec("sh", "-c", "echo kept > /root/kept; chown 1000 /root/kept").orThrow();
    web.stop(Stop.FORCE);
    web.update(update -> update.config("security.privileged", "false"));
    web.start();
    long base = HostView.firstRange(web).get(0);
    assertNotEquals(0, base);
    assertEquals("kept\n", web.exec("cat", "/root/kept").orThrow().stdout());
    assertEquals("1000 0\n", web.exec("stat", "-c", "%u %g", "/root/kept").orThrow().stdout());
    assertEquals(base + 1000, (long) HostView.owner(web, "/root/kept").get(0));
    web.delete(Delete.FORCE);
  }

  @Test
  void a_container_that_becomes_isolated_runs_on_as_it_is_and_is_so_from_its_next_start_on()
      throws IOException {
    Instance web = launch();
    List<Long> before = HostView.firstRange(web);
    web.update(update -> update.config("security.idmap.isolated", "true"));
    String name = web.name();
    Instance adopted = BENCH.reopen().instances().get(name);
    assertEquals(before, HostView.firstRange(adopted));
    adopted.files().writeText("/root/note", "from the host");
    assertEquals(
        "0 from the host",
        adopted
            .exec("sh", "-c", "echo $(stat -c %u /root/note) $(cat /root/note)")
            .orThrow()
            .stdout()
            .strip());
    adopted.restart(Stop.FORCE);
    assertEquals(65_536L, HostView.firstRange(adopted).get(1));
    assertNotEquals(before.get(0), HostView.firstRange(adopted).get(0));
    assertEquals("0\n", adopted.exec("stat", "-c", "%u", "/root/note").orThrow().stdout());
    adopted.delete(Delete.FORCE);
  }

  @Test
  void isolated_containers_share_no_id() throws IOException {
    Instance one = isolated();
    Instance two = isolated();
    Instance shared = BENCH.launch();
    long first = HostView.firstRange(one).get(0);
    long second = HostView.firstRange(two).get(0);
    assertEquals(65_536L, HostView.firstRange(one).get(1));
    assertTrue(Math.abs(first - second) >= 65_536, first + " and " + second);
    assertTrue(HostView.firstRange(shared).get(0) + 65_536 <= Math.min(first, second));
    for (Instance each : List.of(one, two)) {
      each.exec("sh", "-c", "touch /root/u; chown 1000:1000 /root/u").orThrow();
      assertEquals("0\n", each.exec("stat", "-c", "%u", "/bin").orThrow().stdout());
    }
    assertEquals(List.of((int) first + 1000, (int) first + 1000), HostView.owner(one, "/root/u"));
    assertEquals(List.of((int) second + 1000, (int) second + 1000), HostView.owner(two, "/root/u"));
    for (Instance each : List.of(one, two, shared)) {
      each.delete(Delete.FORCE);
    }
  }

  @Test
  void an_isolated_container_keeps_its_ids_over_restarts_and_a_copy_gets_others()
      throws IOException {
    Instance web = isolated();
    List<Long> before = HostView.firstRange(web);
    web.exec("touch", "/root/file").orThrow();
    web.restart(Stop.FORCE);
    assertEquals(before, HostView.firstRange(web));
    Instance copy = web.copyTo(BENCH.name()).start();
    assertNotEquals(before, HostView.firstRange(copy));
    assertEquals(
        HostView.firstRange(copy).get(0), (long) HostView.owner(copy, "/root/file").get(0));
    copy.delete(Delete.FORCE);
    web.delete(Delete.FORCE);
  }

  @Test
  void an_isolated_container_has_as_many_ids_as_it_asks_for() throws IOException {
    Instance web = isolated("security.idmap.size", "70000", "security.idmap.base", "30000000");
    assertEquals(List.of(30_000_000L, 70_000L), HostView.firstRange(web));
    assertEquals("69999\n", web.exec(ExecSpec.builder("id", "-u").user(69_999).build()).stdout());
    StapesException e =
        assertThrows(
            StapesException.class,
            () -> web.exec(ExecSpec.builder("id", "-u").user(70_000).build()));
    assertEquals(Kind.INVALID, e.kind());
    assertTrue(e.toString().contains("70000"), e.toString());
    web.delete(Delete.FORCE);
    Instance small = launch("security.idmap.size", "66000");
    assertEquals(66_000L, HostView.firstRange(small).get(1));
    small.delete(Delete.FORCE);
  }

  @Test
  void ids_that_the_machine_does_not_give_away_are_refused() {
    StapesException outside =
        refused("security.idmap.isolated", "true", "security.idmap.base", "4294900000");
    assertEquals(Kind.INVALID, outside.kind());
    assertTrue(outside.toString().contains("4294900000"), outside.toString());
    StapesException mine = refused("security.idmap.isolated", "true", "security.idmap.base", "500");
    assertEquals(Kind.INVALID, mine.kind());
    StapesException many =
        refused("security.idmap.isolated", "true", "security.idmap.size", "4000000000");
    assertEquals(Kind.EXHAUSTED, many.kind());
    assertTrue(many.toString().contains("4000000000"), many.toString());
    StapesException wide = refused("security.idmap.size", "4000000000");
    assertEquals(Kind.INVALID, wide.kind());
    assertTrue(wide.toString().contains("4000000000"), wide.toString());
    assertEquals(Kind.INVALID, refused("raw.idmap", "both 1000005 5").kind());
  }

  @Test
  void an_id_of_the_machine_is_the_same_inside_where_that_is_asked_for(@TempDir Path directory)
      throws IOException {
    Path file = Files.writeString(directory.resolve("theirs"), "from the machine");
    Files.setAttribute(file, "unix:uid", 1000);
    Files.setAttribute(file, "unix:gid", 1000);
    Files.setAttribute(directory, "unix:uid", 1000);
    Instance web =
        BENCH
            .stapes()
            .instances()
            .launch(
                spec("raw.idmap", "both 1000 1000\nuid 2000-2004 3000-3004")
                    .device("host", Device.disk("/mnt/host", d -> d.source(directory.toString())))
                    .build());
    assertEquals(
        "1000 1000\n", web.exec("stat", "-c", "%u %g", "/mnt/host/theirs").orThrow().stdout());
    ExecSpec.Builder write = ExecSpec.builder("sh", "-c", "echo hers > /mnt/host/hers; id -u");
    assertEquals("1000\n", web.exec(write.user(1000).group(1000).build()).orThrow().stdout());
    assertEquals(1000, Files.getAttribute(directory.resolve("hers"), "unix:uid"));
    assertEquals(1000, Files.getAttribute(directory.resolve("hers"), "unix:gid"));
    web.exec("sh", "-c", "touch /root/a /root/b; chown 1000:1000 /root/a; chown 3004:3004 /root/b")
        .orThrow();
    long base = HostView.firstRange(web).get(0);
    assertEquals(List.of(1000, 1000), HostView.owner(web, "/root/a"));
    assertEquals(List.of(2004, (int) base + 3004), HostView.owner(web, "/root/b"));
    web.delete(Delete.FORCE);
  }
}
