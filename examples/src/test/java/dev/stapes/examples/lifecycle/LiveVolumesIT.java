package dev.stapes.examples.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.Instance;
import dev.stapes.Stop;
import dev.stapes.Volume;
import dev.stapes.examples.survival.DoomedOnce;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Directories that come into running containers, and go. */
@RequiresRoot
@RequiresTool("lxc-start")
@RequiresTool("busybox")
@RequiresTool("mkfs.btrfs")
@RequiresKernel("btrfs")
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class LiveVolumesIT {
  @RegisterExtension static final Workbench BENCH = new Workbench("btrfs");

  private static Volume volume(String name) {
    return BENCH.stapes().pools().byDefault().volumes().create(name);
  }

  private static Device.Disk disk(String path, String source) {
    return Device.disk(path, disk -> disk.volume("default", source));
  }

  private static String sh(Instance box, String script) {
    return box.exec("sh", "-c", script).orThrow().stdout();
  }

  private static void refused(Kind kind, String words, Runnable call) {
    StapesException e = assertThrows(StapesException.class, call::run);
    assertEquals(kind, e.kind(), e::toString);
    assertTrue(e.toString().contains(words), e::toString);
  }

  @Test
  void volumes_come_and_go_in_several_running_instances() {
    Volume data = volume("live");
    Instance one = BENCH.launch();
    Instance two = BENCH.launch();
    one.update(update -> update.device("data", disk("/srv/deep/data", "live")));
    sh(
        one,
        "mkdir /srv/deep/data/www; echo x > /srv/deep/data/www/f; chown 7 /srv/deep/data/www/f");
    two.update(
        update ->
            update.device(
                "www", Device.disk("/w", d -> d.volume("default", "live/www").readOnly())));
    assertEquals("x\n7\n", sh(two, "cat /w/f; stat -c %u /w/f"));
    assertNotEquals(0, two.exec("touch", "/w/new").exitCode());
    assertEquals(2, data.info().usedBy().size());
    refused(Kind.BUSY, "in use", data::delete);
    String user = sh(one, "cd /srv/deep/data; sleep 100 >/dev/null 2>&1 & echo $!").strip();
    refused(Kind.BUSY, "/srv/deep/data", () -> one.update(update -> update.removeDevice("data")));
    assertEquals("x\n", sh(one, "cat /srv/deep/data/www/f"));
    sh(one, "kill -9 " + user + "; while readlink /proc/" + user + "/cwd; do :; done");
    one.update(update -> update.removeDevice("data"));
    assertEquals("", sh(one, "ls /srv/deep/data"));
    two.update(update -> update.removeDevice("www"));
    data.delete();
    List.of(one, two).forEach(each -> each.delete(Delete.FORCE));
  }

  @Test
  void what_was_there_from_the_start_goes_and_what_came_is_there_after_a_restart() {
    volume("restart");
    Instance box =
        BENCH
            .stapes()
            .instances()
            .launch(BENCH.spec().device("data", disk("/data", "restart")).build());
    sh(box, "echo kept > /data/file");
    box.update(update -> update.removeDevice("data"));
    assertEquals("", sh(box, "ls /data"));
    box.update(update -> update.device("again", disk("/again", "restart")));
    String name = box.info().name();
    BENCH.reopen();
    Instance same = BENCH.stapes().instances().get(name);
    assertEquals("kept\n", sh(same, "cat /again/file"));
    same.update(update -> update.device("again", disk("/moved", "restart")));
    assertEquals("kept\n", sh(same, "cat /moved/file; ls /again"));
    same.restart(Stop.FORCE);
    assertEquals("kept\n", sh(same, "cat /moved/file"));
    same.delete(Delete.FORCE);
    BENCH.stapes().pools().byDefault().volumes().get("restart").delete();
  }

  @Test
  void an_update_whose_program_was_killed_is_undone(@TempDir Path late) throws Exception {
    volume("undone");
    Instance box =
        BENCH
            .stapes()
            .instances()
            .launch(BENCH.spec().device("data", disk("/data", "undone")).build());
    sh(box, "echo kept > /data/file");
    String name = box.info().name();
    BENCH.stapes().close();
    DoomedOnce.inUpdate(BENCH.root(), "btrfs", name, late, "data");
    Instance same = BENCH.reopen().instances().get(name);
    assertEquals("kept\n", sh(same, "cat /data/file"));
    assertEquals("", sh(same, "grep ' /late ' /proc/mounts || true"));
    assertEquals(List.of("data", "root"), List.copyOf(same.info().devices().keySet()));
    same.delete(Delete.FORCE);
    BENCH.stapes().pools().byDefault().volumes().get("undone").delete();
  }

  @Test
  void a_change_that_fails_leaves_what_was_and_links_lead_nowhere(@TempDir Path directory)
      throws IOException {
    Volume data = volume("links");
    Files.writeString(directory.resolve("file"), "of the host");
    Instance box = BENCH.launch();
    sh(box, "ln -s /etc /link; echo > /plain");
    refused(
        Kind.INVALID,
        "/link",
        () -> box.update(update -> update.device("data", disk("/link/x", "links"))));
    refused(
        Kind.INVALID,
        "/plain",
        () ->
            box.update(
                update ->
                    update
                        .device("a", disk("/first", "links"))
                        .device("data", disk("/plain", "links"))));
    assertEquals("", sh(box, "grep ' /first ' /proc/mounts || true"));
    refused(
        Kind.UNSUPPORTED,
        "only directories",
        () ->
            box.update(
                update ->
                    update.device(
                        "file",
                        Device.disk("/f", d -> d.source(directory.resolve("file").toString())))));
    box.update(
        update -> update.device("host", Device.disk("/h", d -> d.source(directory.toString()))));
    assertEquals("of the host", sh(box, "cat /h/file"));
    sh(box, "umount /h");
    box.update(update -> update.removeDevice("host")); // which has been done already
    assertTrue(box.info().devices().keySet().stream().noneMatch("host"::equals));
    box.delete(Delete.FORCE);
    data.delete();
  }
}
