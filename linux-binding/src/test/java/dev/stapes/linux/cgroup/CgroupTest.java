package dev.stapes.linux.cgroup;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CgroupTest {
  private static final Duration LONG = Duration.ofSeconds(30);

  private final Path root;

  CgroupTest(@TempDir Path root) {
    this.root = root;
  }

  @Test
  void processes_of_all_hierarchies_and_of_groups_within_are_counted_once() {
    CgroupLayout layout =
        FabricatedHost.hybrid(root)
            .group("memory/g", "cgroup.procs", "10\n30")
            .group("pids/g/init.scope", "cgroup.procs", "10\n20")
            .layout();
    assertEquals(List.of(10L, 20L, 30L), layout.group("g").processes());
    assertEquals(List.of(), layout.group("none").processes());
  }

  @Test
  void a_threaded_group_is_not_asked() {
    CgroupLayout layout =
        FabricatedHost.v2(root)
            .group("g", "cgroup.procs", "10", "cgroup.type", "domain threaded")
            .group("g/t", "cgroup.type", "threaded", "cgroup.procs", "not to be read")
            .layout();
    assertEquals(List.of(10L), layout.group("g").processes());
  }

  @Test
  void creation_is_in_every_hierarchy_and_may_be_repeated() {
    FabricatedHost host = FabricatedHost.hybrid(root);
    Cgroup group = host.layout().group("shop/web");
    assertFalse(group.exists());
    group.create();
    group.create();
    assertTrue(group.exists());
    assertEquals(9, group.directories().size());
    assertEquals(host.path("memory/shop/web"), group.directory(Controller.MEMORY).orElseThrow());
  }

  @Test
  void on_v2_the_parents_controllers_are_turned_on() {
    FabricatedHost host = FabricatedHost.v2(root);
    host.layout().group("g").create();
    assertEquals(
        "+cpuset +cpu +io +memory +hugetlb +pids +rdma +misc", host.read("cgroup.subtree_control"));
  }

  @Test
  void a_failed_creation_leaves_no_group() throws Exception {
    FabricatedHost host = FabricatedHost.hybrid(root);
    CgroupLayout layout = host.layout();
    Files.delete(host.path("unified/cgroup.controllers"));
    Files.delete(host.path("unified/cgroup.subtree_control"));
    Files.delete(host.path("unified"));
    CgroupException e = assertThrows(CgroupException.class, () -> layout.group("g").create());
    assertEquals("mkdir", e.call());
    assertFalse(layout.group("g").exists());
  }

  @Test
  void removal_takes_groups_within_and_every_hierarchy_and_may_be_repeated() throws Exception {
    CgroupLayout layout =
        FabricatedHost.hybrid(root)
            .group("systemd/g/system.slice/ssh.service")
            .group("memory/g")
            .group("memory/other")
            .layout();
    layout.group("g").remove(Duration.ZERO);
    layout.group("g").remove(Duration.ZERO);
    assertFalse(layout.group("g").exists());
    assertTrue(layout.group("other").exists());
  }

  @Test
  void kill_gives_back_those_that_no_unified_hierarchy_holds() {
    FabricatedHost host =
        FabricatedHost.hybrid(root)
            .group("unified/g", "cgroup.procs", "10", "cgroup.kill", "")
            .group("pids/g", "cgroup.procs", "10\n20");
    assertEquals(List.of(20L), host.layout().group("g").kill());
    assertEquals("1", host.read("unified/g/cgroup.kill"));
  }

  @Test
  void without_cgroup_kill_all_are_given_back() {
    CgroupLayout layout = FabricatedHost.v1(root).group("pids/g", "cgroup.procs", "7").layout();
    assertEquals(List.of(7L), layout.group("g").kill());
  }

  @Test
  void on_v2_freezing_waits_for_the_event() throws Exception {
    FabricatedHost host =
        FabricatedHost.v2(root)
            .group("g", "cgroup.freeze", "0", "cgroup.events", "populated 1\nfrozen 0");
    Cgroup group = host.layout().group("g");
    CompletableFuture<Void> kernel =
        CompletableFuture.runAsync(() -> host.group("g", "cgroup.events", "populated 1\nfrozen 1"));
    group.freeze(LONG);
    kernel.join();
    assertTrue(group.isFrozen());
    assertEquals("1", host.read("g/cgroup.freeze"));
    group.unfreeze();
    assertEquals("0", host.read("g/cgroup.freeze"));
  }

  @Test
  void what_does_not_freeze_in_time_is_thawed_again() {
    FabricatedHost host =
        FabricatedHost.v2(root).group("g", "cgroup.freeze", "0", "cgroup.events", "frozen 0");
    CgroupException e =
        assertThrows(
            CgroupException.class, () -> host.layout().group("g").freeze(Duration.ofMillis(5)));
    assertEquals("not all processes stopped within PT0.005S", e.reason());
    assertEquals("0", host.read("g/cgroup.freeze"));
  }

  @Test
  void a_group_in_no_freezer_says_so() {
    CgroupLayout layout = FabricatedHost.v1(root).layout();
    CgroupException e = assertThrows(CgroupException.class, () -> layout.group("g").unfreeze());
    assertEquals("the group is in no hierarchy that freezes", e.reason());
    assertFalse(layout.group("g").isFrozen());
  }

  @Test
  void waiting_for_an_empty_group_ends_with_its_last_process_or_the_time() throws Exception {
    FabricatedHost host =
        FabricatedHost.v2(root).group("g", "cgroup.procs", "5", "cgroup.events", "populated 1");
    Cgroup group = host.layout().group("g");
    assertFalse(group.awaitEmpty(Duration.ofMillis(5)));
    CompletableFuture<Void> kernel =
        CompletableFuture.runAsync(
            () -> host.group("g", "cgroup.procs", "", "cgroup.events", "populated 0"));
    assertTrue(group.awaitEmpty(LONG));
    kernel.join();
  }

  @Test
  void an_error_of_the_kernel_tells_call_path_value_and_reason() {
    CgroupException e =
        assertThrows(CgroupException.class, () -> CgroupFiles.write(root.resolve("none"), "5\n"));
    assertEquals(root.resolve("none") + ": write \"5\": No such file or directory", e.getMessage());
    assertEquals("5", e.value());
  }
}
