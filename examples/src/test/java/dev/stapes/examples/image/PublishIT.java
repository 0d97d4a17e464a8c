package dev.stapes.examples.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.ImageFilter;
import dev.stapes.ImageSources;
import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.Stop;
import dev.stapes.linux.host.LinuxHostProvider;
import dev.stapes.model.ImageInfo;
import dev.stapes.model.ImageMetadata;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.PublishSpec;
import dev.stapes.model.SnapshotInfo;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Command;
import dev.stapes.spi.Host;
import dev.stapes.spi.Tree;
import dev.stapes.testkit.HostLeftovers;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Images that are made of containers. */
@RequiresRoot
@RequiresTool("lxc-start")
@RequiresTool("busybox")
@RequiresTool("mkfs.btrfs")
@RequiresKernel("btrfs")
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class PublishIT {
  private static final AtomicInteger COUNT = new AtomicInteger();
  private static final Instant TIME = Instant.parse("2021-03-04T05:06:07.123456789Z");

  private static final String CHANGES =
      String.join(
          "; ",
          "set -e",
          "mkdir -p /srv/data",
          "echo mine > /srv/data/file",
          "chown 1234:65533 /srv/data/file",
          "chmod 4751 /srv/data/file",
          "ln /srv/data/file /srv/data/second",
          "ln -s ../data/file /srv/data/link",
          "mkfifo -m 640 /srv/data/pipe",
          "truncate -s 50000000 /srv/data/sparse",
          "echo end >> /srv/data/sparse");

  /** Prints all of that. */
  private static final String LOOK =
      "cd /srv/data; stat -c '%n %F %a %u:%g %s %Y %h' *; cat file; readlink link; tail -c 4 sparse";

  private static final Map<String, Object> SLEEPER =
      Map.of("Entrypoint", List.of("/bin/sleep", "1000"));

  private final AtomicInteger names = new AtomicInteger();
  private final List<Stapes> opened = new ArrayList<>();
  private Path directory = Path.of("");
  private Stapes stapes;

  @BeforeEach
  void open() throws IOException {
    directory =
        Path.of(System.getProperty("stapes.build", "target"))
            .toAbsolutePath()
            .resolve("publish-" + ProcessHandle.current().pid() + "-" + COUNT.incrementAndGet());
    Files.createDirectories(directory);
    stapes = open("one");
    stapes.images().importFrom(ImageSources.busybox(), "busybox");
  }

  private Stapes open(String name) {
    return open(name, "btrfs");
  }

  private Stapes open(String name, String driver) {
    Stapes one =
        Stapes.builder(directory.resolve(name)).defaultPool(PoolSpec.of("default", driver)).open();
    opened.add(one);
    return one;
  }

  @AfterEach
  void close() {
    for (Stapes each : opened) {
      each.instances()
          .list()
          .forEach(info -> each.instances().get(info.name()).delete(Delete.FORCE));
      each.close();
    }
    assertEquals(Set.of(), HostLeftovers.of(directory), "left on the machine");
    try (Host host = new LinuxHostProvider().open();
        Tree parent = host.tree(directory.getParent(), Tree.Resolution.BENEATH)) {
      parent.removeAll(directory.getFileName().toString());
    }
  }

  private Instance launch(String image) {
    return launch(stapes, image);
  }

  private Instance launch(Stapes in, String image) {
    return in.instances()
        .launch(InstanceSpec.container("t" + names.incrementAndGet(), image).build());
  }

  private static String sh(Instance instance, String script) {
    return instance.exec("sh", "-c", script).orThrow().stdout();
  }

  @Test
  void a_published_image_holds_what_was_in_the_instance_and_is_the_same_each_time() {
    Instance web = launch("busybox");
    sh(web, CHANGES);
    String look = sh(web, LOOK);
    assertTrue(look.startsWith("file regular file 4751 1234:65533 5 "), look);
    web.stop(Stop.FORCE);
    ImageInfo image = stapes.images().publish(web, "golden");
    assertEquals(image.fingerprint(), stapes.images().publish(web).fingerprint());
    assertTrue(image.size().bytes() < 5_000_000, image.size()::toString);
    Instance copy = launch("golden");
    assertEquals(look, sh(copy, LOOK));
    assertEquals("0:0 755\n", sh(copy, "stat -c '%u:%g %a' /"));
    Instance unused = stapes.instances().create(InstanceSpec.container("unused", "golden").build());
    assertEquals(
        image.fingerprint(),
        stapes
            .images()
            .publish(PublishSpec.of(unused.id()).createdAt(image.metadata().createdAt()))
            .fingerprint(),
        "what comes back is what went in");
  }

  @Test
  void a_running_instance_is_published_by_its_snapshot_or_as_it_is_at_one_moment() {
    Instance web = launch("busybox");
    sh(web, "echo then > /root/file; sync");
    SnapshotInfo then = web.snapshots().create("then");
    sh(web, "echo now > /root/file; sync");
    StapesException e =
        assertThrows(StapesException.class, () -> stapes.images().publish(web, "no"));
    assertEquals(StapesException.Kind.BUSY, e.kind(), e.toString());
    ImageInfo image = stapes.images().publish(then, "then");
    assertEquals(image.fingerprint(), stapes.images().publish(then).fingerprint());
    stapes.images().publish(PublishSpec.of(web.id()).running(), "now");
    assertEquals(InstanceStatus.RUNNING, web.info().status());
    assertEquals("then\n", sh(launch("then"), "cat /root/file"));
    assertEquals("now\n", sh(launch("now"), "cat /root/file"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"dir", "overlay"})
  @RequiresKernel("overlay")
  void pools_that_copy_in_another_way_give_the_same_image(String driver) {
    Stapes other = open("other", driver);
    other.images().importFrom(ImageSources.busybox(), "busybox");
    Instance web = launch(other, "busybox");
    sh(web, CHANGES);
    sh(web, "rm /etc/hostname; rm -r /root; mkdir /root; echo new > /root/file");
    String look = sh(web, LOOK);
    SnapshotInfo snapshot = web.snapshots().create("s");
    ImageInfo image = other.images().publish(snapshot, "golden");
    web.stop(Stop.FORCE);
    assertEquals(
        image.fingerprint(),
        other
            .images()
            .publish(PublishSpec.of(web.id()).createdAt(snapshot.createdAt()))
            .fingerprint());
    other.images().copyTo("golden", stapes, "golden");
    Instance copy = launch("golden");
    assertEquals(look, sh(copy, LOOK));
    assertEquals("file\n", sh(copy, "ls /root"));
    Instance unused = stapes.instances().create(InstanceSpec.container("unused", "golden").build());
    assertEquals(
        image.fingerprint(),
        stapes
            .images()
            .publish(PublishSpec.of(unused.id()).createdAt(snapshot.createdAt()))
            .fingerprint());
  }

  @Test
  void an_image_goes_to_another_root_directory_and_runs_there() {
    Instance web = launch("busybox");
    sh(web, "echo mine > /root/file");
    web.stop(Stop.FORCE);
    ImageInfo image = stapes.images().publish(web, "golden");
    Stapes other = open("two");
    ImageInfo copy = stapes.images().copyTo("golden", other, "golden", "copied");
    assertEquals(image.fingerprint(), copy.fingerprint());
    assertEquals(image.metadata(), copy.metadata());
    assertEquals(Set.of("golden", "copied"), copy.aliases());
    stapes.images().delete("golden");
    assertEquals("mine\n", sh(launch(other, "copied"), "cat /root/file"));
  }

  @Test
  @RequiresTool("docker-registry")
  @RequiresTool("skopeo")
  @RequiresTool("tini-static")
  void an_oci_image_goes_there_with_the_layers_that_are_not_there()
      throws IOException, InterruptedException {
    List<ImageInfo> images = new ArrayList<>();
    try (Registry registry = new Registry(directory.resolve("registry"), false)) {
      for (String name : List.of("first", "second")) {
        Path top = Files.createDirectories(directory.resolve(name));
        Files.writeString(top.resolve("name"), name + "\n");
        registry.push(registry.layout(name, SLEEPER, base(), top), name);
        images.add(
            stapes.images().importFrom(ImageSources.oci(registry.name() + "/" + name), name));
      }
    }
    Stapes other = open("two");
    for (ImageInfo image : images) {
      List<Long> copied = new ArrayList<>();
      ImageInfo copy =
          stapes
              .images()
              .copyTo(
                  image.fingerprint(),
                  other,
                  (stage, done, total) -> copied.add(stage.equals("copy") ? done : 0),
                  image.aliases().toArray(new String[0]));
      assertEquals(image.fingerprint(), copy.fingerprint());
      assertEquals(image.metadata(), copy.metadata());
      assertEquals(image.size(), copy.size());
      long bytes = copied.stream().mapToLong(each -> each).max().orElseThrow();
      assertEquals(image.equals(images.get(0)), bytes > 500_000, () -> "copied bytes: " + bytes);
      Instance made = launch(other, copy.fingerprint());
      assertEquals(copy.aliases() + "", "[" + sh(made, "cat /name").strip() + "]");
    }
  }

  @Test
  @RequiresTool("docker-registry")
  @RequiresTool("skopeo")
  @RequiresTool("tini-static")
  void a_newer_image_of_a_registry_takes_the_place_of_the_old_one_and_instances_stay()
      throws IOException, InterruptedException {
    try (Registry registry = new Registry(directory.resolve("registry"), false)) {
      push(registry, "old");
      ImageInfo old =
          stapes
              .images()
              .importCached(ImageSources.oci(registry.name() + "/app:it"), "app", "also");
      Instance instance = launch("app");
      assertEquals(old.fingerprint(), stapes.images().refresh("app").fingerprint());
      assertEquals(List.of(), stapes.images().refreshAll());
      push(registry, "new");
      ImageInfo refreshed = stapes.images().refreshAll().get(0);
      assertEquals(Set.of("app", "also"), refreshed.aliases());
      assertEquals(
          List.of(refreshed.fingerprint()),
          stapes.images().list(ImageFilter.all().cached(true)).stream()
              .map(ImageInfo::fingerprint)
              .toList());
      assertEquals("old\n", sh(instance, "cat /name"));
      assertEquals("new\n", sh(launch("also"), "cat /name"));
      instance.stop(Stop.FORCE);
      stapes.images().publish(instance, "published");
      assertEquals("old\n", sh(launch("published"), "cat /name"), "an application as before");
      assertEquals(List.of(), stapes.images().expire());
      assertEquals(1, stapes.images().expire(Duration.ZERO).size());
      assertEquals(2, stapes.images().list().size(), "those that were to stay");
    }
  }

  private void push(Registry registry, String name) throws IOException, InterruptedException {
    Path top = Files.createDirectories(directory.resolve(name));
    Files.writeString(top.resolve("name"), name + "\n");
    registry.push(registry.layout(name, SLEEPER, base(), top), "app:it");
  }

  private Path base() throws IOException {
    Path base = directory.resolve("base");
    if (!Files.exists(base)) {
      Files.createDirectories(base.resolve("bin"));
      Files.copy(Path.of("/bin/busybox"), base.resolve("bin/busybox"));
      for (String applet : List.of("sh", "cat", "sleep")) {
        Files.createSymbolicLink(base.resolve("bin").resolve(applet), Path.of("busybox"));
      }
    }
    return base;
  }

  @Test
  void everything_that_a_file_system_has_survives() throws IOException {
    Path rootfs = Files.createDirectories(directory.resolve("rootfs"));
    Path unpacked = Files.createDirectories(directory.resolve("unpacked"));
    try (Host host = new LinuxHostProvider().open();
        Tree tree = host.tree(rootfs, Tree.Resolution.BENEATH);
        Tree result = host.tree(unpacked, Tree.Resolution.BENEATH)) {
      fill(tree);
      stapes
          .images()
          .importFrom(
              ImageSources.directory(
                  rootfs, ImageMetadata.container("x86_64", TIME, Map.of("os", "all"))),
              "all");
      Instance all = stapes.instances().create(InstanceSpec.container("all", "all").build());
      for (PublishSpec.Compression how : PublishSpec.Compression.values()) {
        ImageInfo image = stapes.images().publish(PublishSpec.of(all.id()).compression(how));
        Path archive = directory.resolve("archive-" + how);
        stapes.images().export(image.fingerprint(), archive);
        host.programs()
            .run(
                Command.of(
                    "tar",
                    "-C",
                    unpacked.toString(),
                    "--numeric-owner",
                    "--xattrs",
                    "--xattrs-include=*",
                    "-xpf",
                    archive.toString()));
        assertEquals(
            String.join("\n", ImageBench.describe(tree)),
            String.join("\n", ImageBench.describe(result.subtree("rootfs"))),
            how.toString());
        result.removeAll("rootfs");
      }
    }
  }

  private static void fill(Tree tree) throws IOException {
    byte[] capability = {1, 0, 0, 2, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    // Version 2; user::rw-, user 1234:r--, group::r--, mask::r--, other::---
    byte[] acl = {
      2, 0, 0, 0, 1, 0, 6, 0, -1, -1, -1, -1, 2, 0, 4, 0, -46, 4, 0, 0, 4, 0, 4, 0, -1, -1, -1, -1,
      16, 0, 4, 0, -1, -1, -1, -1, 32, 0, 0, 0, -1, -1, -1, -1
    };
    tree.mkdir("d", 02750);
    write(tree, "capable", new byte[] {1});
    write(tree, "d/listed", new byte[] {2});
    byte[] sparse = new byte[9_000_000];
    sparse[1_000_000] = 7;
    write(tree, "sparse", sparse);
    tree.hardlink("sparse", "d/second");
    tree.symlink("/etc/../" + "long/".repeat(40), "link");
    tree.mkfifo("pipe", 0620);
    tree.chown("capable", 3_000_000, 3_000_000_000L);
    tree.chmod("capable", 06755);
    tree.setXattr("capable", "security.capability", capability);
    tree.setXattr("d/listed", "system.posix_acl_access", acl);
    tree.setXattr("d", "user.of-a-directory", acl);
    for (String path : List.of("capable", "d/listed", "sparse", "link", "pipe", "d", "/")) {
      tree.setModified(path, TIME.minusSeconds(path.length()));
    }
  }

  private static void write(Tree tree, String path, byte[] content) throws IOException {
    try (OutputStream out = tree.create(path, 0640)) {
      out.write(content);
    }
  }
}
