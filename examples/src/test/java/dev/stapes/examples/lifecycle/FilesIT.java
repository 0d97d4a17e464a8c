package dev.stapes.examples.lifecycle;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.Instance;
import dev.stapes.InstanceFiles.Attributes;
import dev.stapes.model.StapesException;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Push, pull, read and write, in a running and in a stopped instance, and what a hostile one tries.
 */
@RequiresRoot
@RequiresTool("lxc-start")
@RequiresTool("busybox")
@RequiresTool("mkfs.btrfs")
@RequiresKernel("btrfs")
class FilesIT {
  @RegisterExtension static final Workbench BENCH = new Workbench("btrfs");
  private static Instance running;
  private static Instance stopped;

  @TempDir Path host;

  @BeforeAll
  static void make() {
    running = BENCH.launch();
    stopped = BENCH.stapes().instances().create(BENCH.spec().build());
  }

  @AfterAll
  static void delete() {
    running.delete(Delete.FORCE);
    stopped.delete();
  }

  private static Instance instance(boolean runs) {
    return runs ? running : stopped;
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void a_tree_that_is_pushed_comes_back_the_same(boolean runs) throws IOException {
    Path tree = Files.createDirectories(host.resolve("tree/deep/er"));
    byte[] content = new byte[300_000];
    new Random(1).nextBytes(content);
    Files.write(tree.resolve("data"), content);
    Files.writeString(host.resolve("tree/run.sh"), "#!/bin/sh\n");
    assertTrue(host.resolve("tree/run.sh").toFile().setExecutable(true));
    Files.createSymbolicLink(host.resolve("tree/link"), Path.of("deep/er/data"));
    instance(runs).files().push(host.resolve("tree"), "/root/tree");
    Path back = host.resolve("back");
    instance(runs).files().pull("/root/tree", back);
    assertArrayEquals(content, Files.readAllBytes(back.resolve("deep/er/data")));
    assertTrue(Files.isExecutable(back.resolve("run.sh")));
    assertEquals(Path.of("deep/er/data"), Files.readSymbolicLink(back.resolve("link")));
    assertEquals(List.of("deep", "link", "run.sh"), instance(runs).files().list("/root/tree"));
    instance(runs).files().delete("/root/tree");
    assertFalse(instance(runs).files().exists("/root/tree"));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void what_is_written_belongs_to_whom_it_should_inside(boolean runs) {
    Instance box = instance(runs);
    box.files().makeDirectories("/srv/a/b");
    box.files()
        .write(
            "/srv/a/b/f",
            "text".getBytes(StandardCharsets.UTF_8),
            new Attributes(1000, 1001, 0640));
    assertEquals("text", box.files().readText("/srv/a/b/f"));
    if (runs) {
      assertEquals(
          "1000:1001 640\n", box.exec("stat", "-c", "%u:%g %a", "/srv/a/b/f").orThrow().stdout());
      assertEquals("0:0\n", box.exec("stat", "-c", "%u:%g", "/srv/a/b").orThrow().stdout());
    } else {
      box.start();
      assertEquals(
          "1000:1001 640\n", box.exec("stat", "-c", "%u:%g %a", "/srv/a/b/f").orThrow().stdout());
      box.stop(dev.stapes.Stop.FORCE);
    }
  }

  @Test
  void a_link_to_the_root_of_the_machine_stays_inside() throws IOException {
    Path secret = host.resolve("secret");
    Files.writeString(secret, "of the machine");
    running
        .exec("sh", "-c", "ln -sfn / /tmp/slash; ln -sfn ../../../../../../.. /tmp/up")
        .orThrow();
    running.exec("ln", "-sfn", secret.toString(), "/tmp/secret").orThrow();
    assertEquals(
        running.files().readText("/etc/passwd"), running.files().readText("/tmp/slash/etc/passwd"));
    assertEquals(
        running.files().readText("/etc/passwd"), running.files().readText("/tmp/up/etc/passwd"));
    assertThrows(StapesException.class, () -> running.files().read("/tmp/secret"));
    assertThrows(StapesException.class, () -> running.files().read("/tmp/slash" + secret));
    assertThrows(
        StapesException.class,
        () -> running.files().writeText("/tmp/secret", "overwritten"),
        "a link to a path that does not exist inside");
    assertEquals("of the machine", Files.readString(secret));
  }

  @Test
  void a_pull_copies_links_and_never_follows_them_out() throws IOException {
    running
        .exec("sh", "-c", "mkdir -p /tmp/box && ln -sfn /etc /tmp/box/etc && mkfifo /tmp/box/pipe")
        .orThrow();
    Path target = host.resolve("box");
    running.files().pull("/tmp/box", target);
    assertTrue(Files.isSymbolicLink(target.resolve("etc")));
    assertFalse(Files.exists(target.resolve("pipe"), LinkOption.NOFOLLOW_LINKS));
  }

  @Test
  void a_pull_into_a_link_on_the_host_is_a_conflict() throws IOException {
    Path elsewhere = host.resolve("elsewhere");
    Files.writeString(elsewhere, "kept");
    Path link = Files.createSymbolicLink(host.resolve("link"), elsewhere);
    assertEquals(
        StapesException.Kind.CONFLICT,
        assertThrows(StapesException.class, () -> running.files().pull("/etc/passwd", link))
            .kind());
    assertEquals("kept", Files.readString(elsewhere));
  }

  @Test
  void a_pipe_or_a_device_is_not_read() {
    running.exec("mkfifo", "/tmp/pipe").orThrow();
    for (String path : List.of("/tmp/pipe", "/dev/zero", "/etc")) {
      StapesException e =
          assertThrows(StapesException.class, () -> running.files().read(path), path);
      assertTrue(String.valueOf(e.getMessage()).contains(path), e.getMessage());
    }
    assertThrows(
        StapesException.class, () -> running.files().writeText("/tmp/pipe", "would block"));
  }

  @Test
  void what_is_not_there_is_not_found_and_a_relative_path_is_invalid() {
    assertEquals(
        StapesException.Kind.NOT_FOUND,
        assertThrows(StapesException.class, () -> running.files().read("/none")).kind());
    assertEquals(
        StapesException.Kind.INVALID,
        assertThrows(StapesException.class, () -> running.files().read("etc/passwd")).kind());
    assertEquals(
        StapesException.Kind.NOT_FOUND,
        assertThrows(StapesException.class, () -> running.files().push(host.resolve("none"), "/x"))
            .kind());
  }
}
