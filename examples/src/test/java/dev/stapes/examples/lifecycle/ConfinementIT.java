package dev.stapes.examples.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.Instance;
import dev.stapes.Stop;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a container may do, as its config widens or narrows it. */
@RequiresRoot
@RequiresTool("lxc-start")
@RequiresTool("busybox")
@RequiresTool("mkfs.btrfs")
@RequiresKernel("btrfs")
class ConfinementIT {
  private static final int NET_RAW = 13;
  private static final int SYS_MODULE = 16;

  /** A container made by hand: namespaces of its own, with a new proc and sysfs. */
  private static final String INNER =
      "unshare -r -m -p -n -u -i -f sh -c '"
          + "mkdir -p /tmp/p /tmp/s && mount -t proc proc /tmp/p && mount -t sysfs sys /tmp/s"
          + " && hostname inner && hostname && cat /tmp/p/1/comm && ls /tmp/s/class/net'";

  @RegisterExtension static final Workbench BENCH = new Workbench("btrfs");

  private static Instance launch(String key, String value) {
    return BENCH.stapes().instances().launch(BENCH.spec().config(key, value).build());
  }

  @Test
  void a_container_inside_can_mount_proc_and_sysfs_where_nesting_is_allowed() {
    Instance web = launch("security.nesting", "true");
    assertEquals("inner\nsh\nlo\n", web.exec("sh", "-c", INNER).orThrow().stdout());
    assertEquals(web.name() + "\n", web.exec("hostname").stdout());
    web.delete(Delete.FORCE);
  }

  @Test
  void a_container_inside_cannot_uncover_proc_where_nesting_is_not_allowed() {
    Instance web = BENCH.launch();
    assertNotEquals(0, web.exec("sh", "-c", INNER).exitCode());
    web.update(update -> update.config("security.nesting", "true")); // not live
    assertNotEquals(0, web.exec("sh", "-c", INNER).exitCode());
    web.restart(Stop.FORCE);
    web.exec("sh", "-c", INNER).orThrow();
    web.delete(Delete.FORCE);
  }

  @Test
  void lines_for_liblxc_take_effect() throws IOException {
    Instance web =
        launch(
            "raw.lxc",
            """
            # less than others
            lxc.cap.drop = net_raw
            lxc.mount.entry = tmpfs mnt/small tmpfs size=64k,create=dir 0 0
            """);
    assertFalse(HostView.mayHave(web, NET_RAW));
    assertFalse(HostView.mayHave(web, SYS_MODULE), "the usual ones are dropped too");
    assertTrue(
        web.exec("grep", " /mnt/small ", "/proc/mounts").orThrow().stdout().contains("size=64k"));
    assertNotEquals(
        0, web.exec("dd", "if=/dev/zero", "of=/mnt/small/f", "bs=4k", "count=17").exitCode());
    web.delete(Delete.FORCE);
  }

  @Test
  void lines_that_liblxc_does_not_take_are_refused_by_their_text() {
    for (String line : List.of("lxc.nonsense = 1", "lxc.cap.drop = everything_at_all")) {
      StapesException e = assertThrows(StapesException.class, () -> launch("raw.lxc", line));
      assertEquals(Kind.INVALID, e.kind(), e.toString());
      assertTrue(e.toString().contains(line), e.toString());
    }
    assertTrue(BENCH.stapes().instances().list().isEmpty());
  }

  @Test
  void denied_system_calls_are_as_on_a_kernel_that_has_none() throws IOException {
    Instance web = launch("security.syscalls.deny", "mkdir\nmkdirat\n");
    assertTrue(
        web.exec("mkdir", "/tmp/new").stderr().contains("Function not implemented"),
        web.exec("mkdir", "/tmp/new").stderr());
    web.exec("touch", "/tmp/file").orThrow();
    web.delete(Delete.FORCE);
  }

  @Test
  void a_whole_policy_replaces_the_usual_one() throws IOException {
    Instance web = launch("raw.seccomp", "2\ndenylist\n[all]\nmkdir errno 28\nmkdirat errno 28");
    assertTrue(
        web.exec("mkdir", "/tmp/new").stderr().contains("No space left"),
        web.exec("mkdir", "/tmp/new").stderr());
    assertEquals("2", HostView.status(web, "Seccomp"));
    web.delete(Delete.FORCE);
  }

  @Test
  void a_policy_that_is_none_keeps_it_from_starting() {
    StapesException e =
        assertThrows(StapesException.class, () -> launch("raw.seccomp", "7\nwhatever"));
    assertNotEquals(Kind.TIMED_OUT, e.kind());
    assertTrue(BENCH.stapes().instances().list().isEmpty());
  }

  @Test
  void what_is_no_system_call_cannot_be_allowed() {
    StapesException bad =
        assertThrows(
            StapesException.class, () -> launch("security.syscalls.allow", "read\nnot a call"));
    assertEquals(Kind.INVALID, bad.kind());
    assertTrue(bad.toString().contains("not a call"), bad.toString());
  }
}
