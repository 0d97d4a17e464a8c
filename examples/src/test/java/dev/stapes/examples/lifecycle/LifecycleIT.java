package dev.stapes.examples.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.Stop;
import dev.stapes.model.InstanceInfo;
import dev.stapes.model.InstanceState;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.Lifetime;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

@RequiresRoot
@RequiresTool("lxc-start")
@RequiresTool("busybox")
@RequiresTool("mkfs.btrfs")
@RequiresKernel("btrfs")
class LifecycleIT {
  private static final Duration SOON = Duration.ofSeconds(60);

  @RegisterExtension static final Workbench BENCH = new Workbench("btrfs");

  private static Kind kindOf(Runnable call) {
    return assertThrows(StapesException.class, call::run).kind();
  }

  @Test
  void a_container_runs_as_root_of_a_user_namespace_of_its_own() throws Exception {
    Instance web = BENCH.launch();
    assertEquals("0\n", web.exec("id", "-u").orThrow().stdout());
    long pid = web.state().pid().orElseThrow();
    Path process = Path.of("/proc", Long.toString(pid));
    int hostUid = (Integer) Files.getAttribute(process, "unix:uid");
    assertNotEquals(0, hostUid, "root inside must not be root of the machine");
    List<String> status = Files.readAllLines(process.resolve("status"));
    assertTrue(status.contains("Seccomp:\t2"), "seccomp filter: " + status);
    for (String namespace : List.of("user", "mnt", "pid", "net", "ipc", "uts", "cgroup")) {
      assertNotEquals(
          Files.readSymbolicLink(Path.of("/proc/self/ns", namespace)),
          Files.readSymbolicLink(process.resolve("ns").resolve(namespace)),
          namespace);
    }
    web.delete(Delete.FORCE);
    assertFalse(HostView.runs(process));
  }

  @Test
  void what_runs_shows_its_state() {
    Instance web = BENCH.launch();
    InstanceState state = web.state();
    assertEquals(InstanceStatus.RUNNING, state.status());
    assertTrue(state.processes().orElseThrow() >= 1);
    assertTrue(state.memory().orElseThrow().bytes() > 0);
    assertTrue(state.cpu().toNanos() > 0);
    assertFalse(state.uptime(Instant.now()).isNegative());
    assertTrue(state.network().containsKey("lo"), state.network().toString());
    web.stop(Stop.FORCE);
    assertEquals(InstanceStatus.STOPPED, web.state().status());
    assertTrue(web.state().pid().isEmpty());
    web.delete();
  }

  @Test
  void a_graceful_stop_ends_it_and_a_second_stop_does_nothing() {
    Instance web = BENCH.launch();
    web.stop(Stop.graceful(SOON));
    assertEquals(InstanceStatus.STOPPED, web.info().status());
    web.stop();
    web.start();
    assertEquals(InstanceStatus.RUNNING, web.info().status());
    web.delete(Delete.FORCE);
  }

  @Test
  void a_frozen_instance_stands_still_until_it_is_let_go() {
    Instance web = BENCH.launch();
    web.freeze();
    assertEquals(InstanceStatus.FROZEN, web.info().status());
    assertEquals(Kind.CONFLICT, kindOf(web::freeze));
    web.unfreeze();
    assertEquals(InstanceStatus.RUNNING, web.info().status());
    assertEquals("ok\n", web.exec("echo", "ok").stdout());
    web.freeze();
    web.delete(Delete.FORCE);
  }

  @Test
  void a_restart_gives_another_first_process() {
    Instance web = BENCH.launch();
    long before = web.state().pid().orElseThrow();
    web.restart(Stop.FORCE);
    assertNotEquals(before, web.state().pid().orElseThrow());
    web.delete(Delete.FORCE);
  }

  @Test
  void a_running_instance_is_deleted_by_force_only() {
    Instance web = BENCH.launch();
    assertEquals(Kind.BUSY, kindOf(web::delete));
    web.delete(Delete.FORCE);
    assertEquals(Kind.NOT_FOUND, kindOf(web::info));
    assertEquals(Kind.NOT_FOUND, kindOf(() -> web.exec("true")));
  }

  @Test
  void protection_keeps_from_deleting_and_starting() {
    Instance web =
        BENCH
            .stapes()
            .instances()
            .create(
                BENCH
                    .spec()
                    .config("security.protection.delete", "true")
                    .config("security.protection.start", "true")
                    .build());
    assertEquals(Kind.DENIED, kindOf(web::start));
    assertEquals(Kind.DENIED, kindOf(web::delete));
    Workbench.forceDelete(web);
  }

  @Test
  void a_rename_works_while_it_runs_and_the_name_is_free_again() {
    Instance web = BENCH.launch();
    String old = web.name();
    String other = BENCH.name();
    web.rename(other);
    assertEquals(other, web.info().name());
    assertTrue(BENCH.stapes().instances().find(old).isEmpty());
    web.exec("true").orThrow();
    web.restart(Stop.FORCE);
    assertEquals(other + "\n", web.exec("hostname").stdout());
    web.delete(Delete.FORCE);
  }

  @Test
  void an_ephemeral_instance_is_gone_when_it_stops() {
    Instance web =
        BENCH.stapes().instances().launch(BENCH.spec().lifetime(Lifetime.EPHEMERAL).build());
    web.stop(Stop.FORCE);
    assertEquals(Kind.NOT_FOUND, kindOf(web::info));
  }

  @Test
  void an_instance_whose_first_process_is_killed_is_stopped() throws Exception {
    Instance web = BENCH.launch();
    long pid = web.state().pid().orElseThrow();
    ProcessHandle.of(pid).orElseThrow().destroyForcibly();
    web.await(InstanceStatus.STOPPED, SOON);
    web.start().exec("true").orThrow();
    web.delete(Delete.FORCE);
  }

  @Test
  void an_instance_that_is_to_restart_does_so_when_it_is_killed() {
    Instance web =
        BENCH.stapes().instances().launch(BENCH.spec().config("boot.autorestart", "true").build());
    long pid = web.state().pid().orElseThrow();
    try (var restarted =
        BENCH.stapes().events().expect(event -> web.state().pid().orElse(pid) != pid)) {
      ProcessHandle.of(pid).orElseThrow().destroyForcibly();
      restarted.await(SOON);
    }
    web.exec("true").orThrow();
    web.delete(Delete.FORCE);
  }

  @Test
  void a_durable_instance_goes_on_over_a_reopen_and_can_still_be_used() {
    Instance web = BENCH.launch();
    web.exec("sh", "-c", "echo kept > /root/kept").orThrow();
    long pid = web.state().pid().orElseThrow();
    String name = web.name();
    Stapes again = BENCH.reopen();
    Instance same = again.instances().get(name);
    assertEquals(InstanceStatus.RUNNING, same.info().status());
    assertEquals(pid, same.state().pid().orElseThrow());
    assertEquals("kept\n", same.exec("cat", "/root/kept").orThrow().stdout());
    same.stop(Stop.graceful(SOON));
    same.start().exec("true").orThrow();
    same.delete(Delete.FORCE);
  }

  @Test
  void a_throwaway_instance_ends_with_the_close() throws Exception {
    Instance web =
        BENCH.stapes().instances().launch(BENCH.spec().lifetime(Lifetime.THROWAWAY).build());
    web.exec("sh", "-c", "echo x > /tmp/x; cat /tmp/x").orThrow();
    String name = web.name();
    ProcessHandle init = ProcessHandle.of(web.state().pid().orElseThrow()).orElseThrow();
    Stapes again = BENCH.reopen();
    assertTrue(again.instances().find(name).isEmpty());
    init.onExit().get(SOON.toSeconds(), TimeUnit.SECONDS);
  }

  @Test
  void an_autostart_instance_runs_after_the_open() {
    Instance web =
        BENCH.stapes().instances().create(BENCH.spec().config("boot.autostart", "true").build());
    String name = web.name();
    Instance started = BENCH.reopen().instances().get(name);
    started.await(InstanceStatus.RUNNING, SOON);
    Workbench.forceDelete(started);
  }

  @Test
  void a_list_shows_every_instance_by_name() {
    Instance one = BENCH.stapes().instances().create(BENCH.spec().build());
    Instance two = BENCH.stapes().instances().create(BENCH.spec().build());
    List<String> names =
        BENCH.stapes().instances().list().stream().map(InstanceInfo::name).toList();
    assertTrue(names.containsAll(List.of(one.name(), two.name())), names.toString());
    assertEquals(names.stream().sorted().toList(), names);
    one.delete();
    two.delete();
  }

  @Test
  void an_update_at_an_old_revision_is_refused() {
    Instance web = BENCH.stapes().instances().create(BENCH.spec().build());
    long revision = web.info().revision();
    web.update(update -> update.config("user.a", "1").ifRevision(revision));
    assertEquals(
        Kind.CONFLICT,
        kindOf(() -> web.update(update -> update.config("user.a", "2").ifRevision(revision))));
    assertEquals("1", web.info().config().text("user.a").orElseThrow());
    web.delete();
  }
}
