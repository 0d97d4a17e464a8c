package dev.stapes.examples.lifecycle;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.Instance;
import dev.stapes.InstanceFiles.Attributes;
import dev.stapes.Stop;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.StapesException;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
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

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void what_is_written_through_a_link_is_the_file_that_it_names(boolean runs) throws IOException {
    Instance box = instance(runs);
    Path links = Files.createDirectories(host.resolve("links"));
    Files.createSymbolicLink(links.resolve("resolv.conf"), Path.of("/srv/run/resolv.conf"));
    Files.createSymbolicLink(links.resolve("dangling"), Path.of("run/made"));
    box.files().makeDirectories("/srv/run");
    box.files().push(links, "/srv");
    Attributes mine = new Attributes(1000, 1001, 0600);
    box.files().write("/srv/resolv.conf", "one".getBytes(StandardCharsets.UTF_8), mine);
    box.files().writeText("/srv/dangling", "two");
    Files.writeString(host.resolve("pushed"), "three");
    Files.setPosixFilePermissions(
        host.resolve("pushed"), PosixFilePermissions.fromString("rw-r-----"));
    assertEquals("one", box.files().readText("/srv/run/resolv.conf"));
    assertEquals("1000:1001 600", attributes(box, "/srv/run/resolv.conf"));
    assertEquals("0:0 644", attributes(box, "/srv/run/made"));
    box.files().push(host.resolve("pushed"), "/srv/resolv.conf");
    assertEquals("three", box.files().readText("/srv/run/resolv.conf"));
    assertEquals("0:0 640", attributes(box, "/srv/run/resolv.conf"));
    box.files().pull("/srv/resolv.conf", host.resolve("link"));
    assertTrue(Files.isSymbolicLink(host.resolve("link")));
    box.files().delete("/srv");
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void a_push_goes_into_the_directory_that_a_link_names(boolean runs) throws IOException {
    Instance box = instance(runs);
    Files.createDirectories(host.resolve("tree/lib/deep"));
    Files.writeString(host.resolve("tree/lib/deep/f"), "text");
    Files.createSymbolicLink(host.resolve("lib"), Path.of("usr/lib"));
    box.files().makeDirectories("/opt/usr/lib");
    box.files().push(host.resolve("lib"), "/opt/lib");
    if (!runs) {
      box.start();
    }
    box.exec("sh", "-c", "chown 7:8 /opt /opt/usr/lib; chmod 2770 /opt /opt/usr/lib").orThrow();
    if (!runs) {
      box.stop(Stop.FORCE);
    }
    box.files().push(host.resolve("tree"), "/opt");
    box.files().push(host.resolve("tree/lib/deep"), "/opt/lib");
    box.files().makeDirectories("/opt/lib/more");
    assertEquals("text", box.files().readText("/opt/usr/lib/deep/f"));
    assertEquals("text", box.files().readText("/opt/usr/lib/f"));
    assertEquals(List.of("deep", "f", "more"), box.files().list("/opt/usr/lib"));
    assertEquals("7:8 2770", attributes(box, "/opt/usr/lib"));
    assertEquals("7:8 2770", attributes(box, "/opt"));
    box.files().writeText("/opt/file", "");
    assertEquals(
        StapesException.Kind.CONFLICT,
        assertThrows(
                StapesException.class, () -> box.files().push(host.resolve("tree"), "/opt/file"))
            .kind());
    box.files().delete("/opt");
  }

  /** Owner and mode of a file inside, which runs for that if it does not. */
  private static String attributes(Instance box, String path) {
    boolean runs = box.info().status() == InstanceStatus.RUNNING;
    if (!runs) {
      box.start();
    }
    String told = box.exec("stat", "-c", "%u:%g %a", path).orThrow().stdout().strip();
    if (!runs) {
      box.stop(Stop.FORCE);
    }
    return told;
  }

  @Test
  void names_and_links_that_are_no_text_come_as_they_are() throws IOException {
    String odd =
        "mkdir -p /tmp/odd && cd /tmp/odd && d=$(printf 'd\\377') && mkdir \"$d\""
            + " && echo text > \"$d/$(printf '\\200f')\" && ln -s \"$d\" link"
            + " && ln -s \"$(printf '\\376')\" \"$(printf 'l\\375')\"";
    running.exec("sh", "-c", odd).orThrow();
    running.files().pull("/tmp/odd", host.resolve("odd"));
    String show =
        "cd \"$1\" && find . -type f -o -type l | while read f; do"
            + " echo \"$f\" $(readlink \"$f\"); done | sort | od -c";
    Process there = new ProcessBuilder("sh", "-c", show, "sh", host + "/odd").start();
    String found = new String(there.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(running.exec("sh", "-c", show, "sh", "/tmp/odd").orThrow().stdout(), found);
    assertTrue(found.contains("375") && found.contains("376"), found);
    assertTrue(found.contains("377") && found.contains("200"), found);
    running.files().push(host.resolve("odd"), "/tmp/again");
    assertEquals(found, running.exec("sh", "-c", show, "sh", "/tmp/again").orThrow().stdout());
    // Java cannot remove what it cannot name.
    assertEquals(
        0, new ProcessBuilder("rm", "-r", host + "/odd").start().onExit().join().exitValue());
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
