package dev.stapes.examples.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.Instance;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.Lifetime;
import dev.stapes.model.SnapshotInfo;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Snapshots, restore and clones; each pool driver runs all of it. */
@RequiresRoot
@RequiresTool("lxc-start")
@RequiresTool("busybox")
abstract class SnapshotContract {
  abstract Workbench bench();

  @Test
  void a_restore_brings_back_what_was_broken_and_starts_what_ran() {
    Instance web = bench().launch();
    web.exec("sh", "-c", "echo before > /root/file").orThrow();
    web.snapshots().create("clean");
    web.exec("sh", "-c", "rm -rf /etc/* && echo after > /root/file").orThrow();
    web.snapshots().restore("clean");
    assertEquals(InstanceStatus.RUNNING, web.info().status());
    assertEquals("before\n", web.exec("cat", "/root/file").orThrow().stdout());
    assertTrue(web.files().exists("/etc/passwd"));
    web.delete(Delete.FORCE);
  }

  @Test
  void a_restore_of_a_stopped_instance_leaves_it_stopped_and_keeps_later_snapshots() {
    Instance web = bench().stapes().instances().create(bench().spec().build());
    web.files().writeText("/root/file", "1");
    web.snapshots().create("one");
    web.files().writeText("/root/file", "2");
    web.snapshots().create("two");
    web.snapshots().restore("one");
    assertEquals("1", web.files().readText("/root/file"));
    assertEquals(InstanceStatus.STOPPED, web.info().status());
    web.snapshots().restore("two");
    assertEquals("2", web.files().readText("/root/file"));
    assertEquals(
        List.of("one", "two"), web.snapshots().list().stream().map(SnapshotInfo::name).toList());
    web.delete();
  }

  @Test
  void a_restore_brings_back_the_config() {
    Instance web =
        bench().stapes().instances().create(bench().spec().config("user.state", "old").build());
    web.snapshots().create("s");
    web.update(update -> update.config("user.state", "new"));
    web.snapshots().restore("s");
    assertEquals("old", web.info().config().text("user.state").orElseThrow());
    web.delete();
  }

  @Test
  void a_clone_of_a_running_instance_is_an_instance_of_its_own() {
    Instance web = bench().launch();
    web.exec("sh", "-c", "echo mine > /root/file; sync").orThrow();
    Instance copy = web.copyTo(bench().name());
    assertEquals(InstanceStatus.STOPPED, copy.info().status());
    copy.start();
    assertEquals("mine\n", copy.exec("cat", "/root/file").orThrow().stdout());
    assertEquals(copy.name() + "\n", copy.exec("hostname").stdout());
    copy.exec("sh", "-c", "echo theirs > /root/file").orThrow();
    assertEquals("mine\n", web.exec("cat", "/root/file").stdout());
    copy.delete(Delete.FORCE);
    web.delete(Delete.FORCE);
  }

  @Test
  void a_clone_of_a_snapshot_is_as_the_snapshot() {
    Instance web = bench().stapes().instances().create(bench().spec().build());
    web.files().writeText("/root/file", "then");
    web.snapshots().create("s");
    web.files().writeText("/root/file", "now");
    Instance copy = web.snapshots().copyTo("s", bench().name());
    assertEquals("then", copy.files().readText("/root/file"));
    copy.delete();
    web.delete();
  }

  @Test
  void a_throwaway_instance_has_snapshots_too() {
    Instance web =
        bench().stapes().instances().launch(bench().spec().lifetime(Lifetime.THROWAWAY).build());
    web.exec("sh", "-c", "echo before > /root/file").orThrow();
    web.snapshots().create("clean");
    web.exec("sh", "-c", "echo after > /root/file; rm /etc/passwd").orThrow();
    web.snapshots().restore("clean");
    assertEquals("before\n", web.exec("cat", "/root/file").orThrow().stdout());
    web.exec("cat", "/etc/passwd").orThrow();
    web.delete(Delete.FORCE);
  }

  @Test
  void names_are_unique_can_change_and_expire() {
    Instance web = bench().stapes().instances().create(bench().spec().build());
    web.snapshots().create("a", "first", Optional.of(Instant.EPOCH));
    assertEquals(Kind.CONFLICT, kindOf(() -> web.snapshots().create("a")));
    web.snapshots().rename("a", "b");
    assertEquals("first", web.snapshots().get("b").description());
    assertEquals(Kind.NOT_FOUND, kindOf(() -> web.snapshots().get("a")));
    assertEquals(Kind.NOT_FOUND, kindOf(() -> web.snapshots().restore("a")));
    web.snapshots().create("kept");
    assertEquals(List.of("b"), web.snapshots().deleteExpired());
    web.snapshots().delete("kept");
    assertTrue(web.snapshots().list().isEmpty());
    web.delete();
  }

  @Test
  void owners_survive_snapshot_restore_and_clone() {
    Instance web = bench().launch();
    web.exec("sh", "-c", "echo x > /tmp/mine; chown 1000:1001 /tmp/mine; chmod 640 /tmp/mine")
        .orThrow();
    web.snapshots().create("s");
    web.snapshots().restore("s");
    String expected = "1000:1001 640\n";
    assertEquals(expected, web.exec("stat", "-c", "%u:%g %a", "/tmp/mine").orThrow().stdout());
    Instance copy = web.copyTo(bench().name()).start();
    assertEquals(expected, copy.exec("stat", "-c", "%u:%g %a", "/tmp/mine").orThrow().stdout());
    copy.exec("touch", "/tmp/new").orThrow();
    copy.delete(Delete.FORCE);
    web.delete(Delete.FORCE);
  }

  static Kind kindOf(Runnable call) {
    return assertThrows(StapesException.class, call::run).kind();
  }
}

@RequiresTool("mkfs.btrfs")
@RequiresKernel("btrfs")
class SnapshotIT extends SnapshotContract {
  @RegisterExtension static final Workbench BENCH = new Workbench("btrfs");

  @Override
  Workbench bench() {
    return BENCH;
  }
}

class SnapshotOnDirIT extends SnapshotContract {
  @RegisterExtension static final Workbench BENCH = new Workbench("dir");

  @Override
  Workbench bench() {
    return BENCH;
  }
}

@RequiresKernel("overlay")
class SnapshotOnOverlayIT extends SnapshotContract {
  @RegisterExtension static final Workbench BENCH = new Workbench("overlay");

  @Override
  Workbench bench() {
    return BENCH;
  }
}
