package dev.stapes.examples.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.Instance;
import dev.stapes.Stop;
import dev.stapes.examples.image.SharedDebian;
import dev.stapes.model.ExecResult;
import dev.stapes.model.ExecSpec;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.InstanceState;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.Size;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A system with systemd as its first process. */
@RequiresRoot
@RequiresTool("lxc-start")
@RequiresTool("busybox")
@RequiresTool("mkfs.btrfs")
@RequiresTool("debootstrap")
@RequiresKernel("btrfs")
@Tag("once")
@Timeout(value = 600, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class DebianIT {
  private static final Duration SOON = Duration.ofMinutes(2);

  /** Tells of an orderly end: a stop job that only a shutdown runs. */
  private static final String MARK =
      """
      [Service]
      Type=oneshot
      RemainAfterExit=yes
      ExecStart=/bin/true
      ExecStop=/bin/sh -c 'echo orderly >> /root/ended'
      """;

  @RegisterExtension static final Workbench BENCH = new Workbench("btrfs");

  @BeforeAll
  static void bring() {
    BENCH.stapes().images().importFrom(new SharedDebian(), "debian");
  }

  private static InstanceSpec.Builder spec() {
    return InstanceSpec.container(BENCH.name(), "debian");
  }

  private static Instance launch() {
    return BENCH.stapes().instances().launch(spec().build());
  }

  /** Waits for the end of its boot. */
  private static Instance booted(Instance debian) {
    long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(3);
    ExecResult state = state(debian);
    while (!Set.of("running\n", "degraded\n").contains(state.stdout())) {
      assertTrue(System.nanoTime() < deadline, "it is " + state.stdout() + state.stderr());
      debian.exec("sleep", "0.1").orThrow();
      state = state(debian);
    }
    String failed = debian.exec("systemctl", "--failed", "--no-pager").stdout();
    assertEquals("running\n", state.stdout(), failed);
    return debian;
  }

  /** Until systemd has its socket nobody answers. */
  private static ExecResult state(Instance debian) {
    return debian.exec("systemctl", "is-system-running");
  }

  private static Instance unit(Instance debian, String name, String text) {
    debian.files().writeText("/etc/systemd/system/" + name + ".service", text);
    debian.exec("systemctl", "daemon-reload").orThrow();
    debian.exec("systemctl", "start", name).orThrow();
    return debian;
  }

  private static Instance marked(Instance debian) {
    return unit(debian, "mark", MARK);
  }

  @Test
  void it_boots_without_a_failed_unit_and_shows_what_it_uses() throws Exception {
    Instance debian = booted(launch());
    assertEquals("systemd\n", debian.exec("cat", "/proc/1/comm").orThrow().stdout());
    assertNotEquals(0L, HostView.firstRange(debian).get(0));
    InstanceState state = debian.state();
    assertEquals(InstanceStatus.RUNNING, state.status());
    int inside =
        Integer.parseInt(
            debian.exec("sh", "-c", "ls -d /proc/[0-9]* | wc -l").orThrow().stdout().strip());
    assertTrue(state.processes().orElseThrow() >= 3, state + ", inside " + inside);
    assertTrue(inside >= 3, "processes inside: " + inside);
    assertTrue(state.memory().orElseThrow().bytes() > 1 << 20);
    assertEquals(
        "uid=33(www-data) gid=33(www-data) groups=33(www-data)\n",
        debian.exec(ExecSpec.builder("id").user(33).build()).orThrow().stdout());
    debian.delete(Delete.FORCE);
  }

  @Test
  @RequiresKernel("cgroup-v1")
  void it_runs_services_in_groups_of_their_own() throws Exception {
    Instance debian = booted(launch());
    unit(
        debian,
        "probe",
        """
        [Service]
        Type=oneshot
        User=nobody
        MemoryMax=64M
        ExecStart=/bin/sh -c '(id -un; cat /proc/self/cgroup) > /tmp/probe'
        """);
    String said = debian.exec("cat", "/tmp/probe").orThrow().stdout();
    assertTrue(said.startsWith("nobody\n"), said);
    assertTrue(said.contains("name=systemd:/system.slice/probe.service\n"), said);
    assertTrue(said.contains("memory:/system.slice/probe.service\n"), said);
    debian.delete(Delete.FORCE);
  }

  @Test
  void a_graceful_stop_is_an_orderly_shutdown() throws Exception {
    Instance debian = marked(booted(launch()));
    debian.stop(Stop.graceful(SOON));
    assertEquals(InstanceStatus.STOPPED, debian.info().status());
    assertEquals("orderly\n", debian.files().readText("/root/ended"));
    debian.start();
    booted(debian);
    debian.delete(Delete.FORCE);
  }

  @Test
  void a_stop_that_comes_while_it_boots_is_not_lost() {
    Instance debian = launch();
    debian.stop(Stop.graceful(SOON));
    assertEquals(InstanceStatus.STOPPED, debian.info().status());
    debian.delete();
  }

  @Test
  void a_restart_is_an_orderly_shutdown_and_a_boot() throws Exception {
    Instance debian = marked(booted(launch()));
    long before = debian.state().pid().orElseThrow();
    debian.restart(Stop.graceful(SOON));
    assertNotEquals(before, debian.state().pid().orElseThrow());
    assertEquals("orderly\n", booted(debian).files().readText("/root/ended"));
    debian.delete(Delete.FORCE);
  }

  @Test
  void it_can_power_itself_off_and_reboot_itself() throws Exception {
    Instance debian = marked(booted(launch()));
    long before = debian.state().pid().orElseThrow();
    try (var rebooted =
        BENCH.stapes().events().expect(event -> debian.state().pid().orElse(before) != before)) {
      debian.exec("systemctl", "reboot");
      rebooted.await(SOON);
    }
    assertEquals("orderly\n", booted(debian).files().readText("/root/ended"));
    debian.exec("systemctl", "poweroff");
    debian.await(InstanceStatus.STOPPED, SOON);
    debian.delete();
  }

  @Test
  void it_boots_privileged_isolated_nested_and_with_limits() throws Exception {
    for (String key :
        List.of("security.privileged", "security.nesting", "security.idmap.isolated")) {
      Instance debian =
          BENCH
              .stapes()
              .instances()
              .launch(
                  spec()
                      .config(key, "true")
                      .limits(l -> l.cpus(1).memory(Size.ofMebibytes(256)).processes(200))
                      .build());
      booted(debian);
      debian.stop(Stop.graceful(SOON));
      debian.delete();
    }
  }

  @Test
  void subvolumes_which_no_limit_holds_are_made_only_where_that_is_allowed() {
    String make =
        "sysopen(D, '/root', 0) or die $!; for $n (0x5000940e, 0x50009418) {"
            + " $a = pack('q Q Q x32 a4040', 0, 0, 0, \"s$n\");"
            + " $a = pack('q a4088', 0, \"s$n\") if $n == 0x5000940e;"
            + " print ioctl(D, $n, $a) ? 'made' : $!, qq(\\n) }";
    Instance debian = launch();
    assertEquals(
        "Inappropriate ioctl for device\n".repeat(2),
        debian.exec("perl", "-e", make).orThrow().stdout());
    debian.stop(Stop.FORCE);
    debian.update(update -> update.config("security.nesting", "true"));
    debian.start();
    assertEquals("made\n".repeat(2), debian.exec("perl", "-e", make).orThrow().stdout());
    debian.delete(Delete.FORCE);
  }

  @Test
  void every_copy_is_somebody_else() throws Exception {
    Instance one = booted(launch());
    Instance two = booted(launch());
    Set<String> ids =
        Set.of(
            one.exec("cat", "/etc/machine-id").orThrow().stdout(),
            two.exec("cat", "/etc/machine-id").orThrow().stdout());
    assertEquals(2, ids.size());
    assertTrue(ids.stream().allMatch(id -> id.matches("[0-9a-f]{32}\n")), ids.toString());
    assertEquals(one.name() + "\n", one.exec("hostname").orThrow().stdout());
    one.delete(Delete.FORCE);
    two.delete(Delete.FORCE);
  }

  @Test
  @RequiresKernel("cgroup-v1")
  void what_its_cgroups_contain_goes_with_it() throws Exception {
    Instance debian = booted(launch());
    String container = HostView.container(debian);
    assertTrue(
        Files.isDirectory(
            HostView.cgroupsOf(container).stream()
                .filter(path -> path.toString().contains("/systemd/lxc.payload."))
                .findFirst()
                .orElseThrow()));
    debian.stop(Stop.FORCE);
    assertEquals(List.of(), HostView.cgroupsLeftOf(container));
    debian.delete();
  }
}
