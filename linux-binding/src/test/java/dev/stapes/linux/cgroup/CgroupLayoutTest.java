package dev.stapes.linux.cgroup;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CgroupLayoutTest {
  private final Path root;

  CgroupLayoutTest(@TempDir Path root) {
    this.root = root;
  }

  @Test
  void controllers_on_v1_beside_an_empty_v2_are_hybrid() {
    CgroupLayout layout = FabricatedHost.hybrid(root).layout();
    assertEquals(CgroupLayout.Kind.HYBRID, layout.kind());
    assertEquals(9, layout.hierarchies().size());
    Hierarchy memory = layout.hierarchy(Controller.MEMORY).orElseThrow();
    assertEquals(Hierarchy.Version.V1, memory.version());
    assertEquals(root.resolve("sys/fs/cgroup/memory"), memory.mount());
    assertEquals(Set.of(), layout.unified().orElseThrow().controllers());
  }

  @Test
  void controllers_mounted_together_share_a_hierarchy() {
    CgroupLayout layout = FabricatedHost.v1(root).layout();
    assertEquals(CgroupLayout.Kind.V1, layout.kind());
    assertEquals(layout.hierarchy(Controller.CPU), layout.hierarchy(Controller.CPUACCT));
    assertEquals(
        Set.of(Controller.CPU, Controller.CPUACCT),
        layout.hierarchy(Controller.CPU).orElseThrow().controllers());
  }

  @Test
  void a_named_hierarchy_has_a_name_and_no_controllers() {
    CgroupLayout layout = FabricatedHost.v1(root).layout();
    Hierarchy named =
        layout.hierarchies().stream()
            .filter(each -> !each.name().isEmpty())
            .findFirst()
            .orElseThrow();
    assertEquals("systemd", named.name());
    assertEquals(Set.of(), named.controllers());
  }

  @Test
  void v2_alone_has_its_controllers_and_the_core_in_one_place() {
    CgroupLayout layout = FabricatedHost.v2(root).layout();
    assertEquals(CgroupLayout.Kind.V2, layout.kind());
    assertEquals(layout.unified(), layout.hierarchy(Controller.IO));
    assertEquals(layout.unified(), layout.hierarchy(Controller.FREEZER));
    assertEquals(layout.unified(), layout.hierarchy(Controller.CPUACCT));
    assertEquals(Optional.empty(), layout.hierarchy(Controller.DEVICES));
  }

  @Test
  void a_missing_controller_is_an_answer() {
    assertEquals(
        Optional.empty(), FabricatedHost.hybrid(root).layout().hierarchy(Controller.HUGETLB));
  }

  @Test
  void a_machine_without_cgroups_has_none() {
    CgroupLayout layout = FabricatedHost.at(root).layout();
    assertEquals(CgroupLayout.Kind.NONE, layout.kind());
    assertEquals(Optional.empty(), layout.hierarchy(Controller.FREEZER));
    assertEquals(List.of(), layout.groups(""));
  }

  @Test
  void groups_are_made_beside_that_of_pid_1_not_in_its_scope() {
    CgroupLayout layout =
        FabricatedHost.at(root)
            .v1("memory", "/docker/abc/init.scope")
            .v1("pids", "/../up")
            .layout();
    assertEquals(
        root.resolve("sys/fs/cgroup/memory/docker/abc"),
        layout.hierarchy(Controller.MEMORY).orElseThrow().base());
    assertEquals(
        root.resolve("sys/fs/cgroup/pids"), layout.hierarchy(Controller.PIDS).orElseThrow().base());
  }

  @Test
  void a_mount_of_a_part_of_a_hierarchy_starts_at_that_part() {
    CgroupLayout layout =
        FabricatedHost.at(root)
            .mount("/docker/abc", "/sys/fs/cgroup/pids", "cgroup", "cgroup", "pids")
            .v1("cpu", "/")
            .layout();
    assertEquals(
        root.resolve("sys/fs/cgroup/pids"), layout.hierarchy(Controller.PIDS).orElseThrow().base());
  }

  @Test
  void of_many_mounts_of_a_hierarchy_the_whole_one_in_the_usual_place_counts() {
    CgroupLayout layout =
        FabricatedHost.at(root)
            .mount("/part", "/sys/fs/cgroup/part", "cgroup", "cgroup", "pids")
            .mount("/mnt/some\\040where", "cgroup", "cgroup", "pids")
            .mount("/sys/fs/cgroup/pids", "cgroup", "cgroup", "pids")
            .layout();
    assertEquals(1, layout.hierarchies().size());
    assertEquals(root.resolve("sys/fs/cgroup/pids"), layout.hierarchies().get(0).mount());
  }

  @Test
  void a_blank_in_a_mount_point_is_unescaped() {
    CgroupLayout layout =
        FabricatedHost.at(root).mount("/mnt/some\\040where", "cgroup", "cgroup", "pids").layout();
    assertEquals(root.resolve("mnt/some where"), layout.hierarchies().get(0).mount());
  }

  @Test
  void favordynmods_is_seen() {
    CgroupLayout layout =
        FabricatedHost.at(root)
            .mount("/sys/fs/cgroup/cpu", "cgroup", "cgroup", "cpu,favordynmods")
            .v1("pids", "/")
            .layout();
    assertTrue(layout.hierarchy(Controller.CPU).orElseThrow().favorsDynamicChanges());
    assertEquals(false, layout.hierarchy(Controller.PIDS).orElseThrow().favorsDynamicChanges());
  }

  @Test
  void groups_are_listed_by_prefix_over_all_hierarchies() {
    CgroupLayout layout =
        FabricatedHost.hybrid(root)
            .group("memory/lxc.payload.st-b")
            .group("unified/lxc.payload.st-a")
            .group("pids/lxc.payload.st-b")
            .group("pids/lxc.payload.other")
            .layout();
    assertEquals(List.of("lxc.payload.st-a", "lxc.payload.st-b"), layout.groups("lxc.payload.st-"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "/abs", "a//b", "a/", ".", "..", "a/../b", "a\0b"})
  void a_name_that_could_lead_elsewhere_is_refused(String name) {
    CgroupLayout layout = FabricatedHost.v2(root).layout();
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> layout.group(name));
    assertEquals("invalid cgroup name \"" + name + "\"", e.getMessage());
  }

  @Test
  void without_proc_the_error_names_the_file() {
    CgroupException e = assertThrows(CgroupException.class, () -> CgroupLayout.detect(root));
    assertEquals(root.resolve("proc/1/cgroup").toString(), e.path());
    assertEquals("read", e.call());
    assertEquals("No such file or directory", e.reason());
  }
}
