package dev.stapes.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.stapes.Delete;
import dev.stapes.ImageSources;
import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.Stop;
import dev.stapes.model.ImageInfo;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.PublishSpec;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/**
 * Images go to a real Incus and come from it. It is the one of the machine, or what {@code
 * ./verify} has fetched and put on the PATH.
 */
@RequiresRoot
@RequiresKernel("btrfs")
@RequiresKernel("loop")
@RequiresTool("incus")
@RequiresTool("lxc-start")
@RequiresTool("mksquashfs")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(180)
class IncusImagesIT {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path work = Path.of("target", "incus-" + ProcessHandle.current().pid());
  private Stapes stapes;
  private Incusd incus;

  @SuppressWarnings("NullAway.Init") // JUnit calls begin() first
  IncusImagesIT() {}

  @BeforeAll
  void begin() throws IOException, InterruptedException {
    Path root = Files.createDirectories(work).toRealPath();
    Place place = new Place(root, Path.of("target", "peers").toAbsolutePath(), "incus-it");
    incus = Incusd.start(place, "i", false, "size=1GiB");
    stapes =
        Stapes.builder(root.resolve("stapes")).defaultPool(PoolSpec.of("default", "dir")).open();
    stapes.images().importFrom(ImageSources.busybox(), "busybox");
  }

  @AfterAll
  void end() throws IOException, InterruptedException {
    try {
      if (stapes != null) {
        for (var info : stapes.instances().list()) {
          stapes.instances().get(info.id()).delete(Delete.FORCE);
        }
        stapes.pools().byDefault().delete();
        stapes.close();
      }
    } finally {
      if (incus != null) {
        incus.close();
      }
    }
    try (Stream<Path> all = Files.walk(work)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  private JsonNode image(String name) throws IOException, InterruptedException {
    String alias = incus.client().run("query", "/1.0/images/aliases/" + name);
    String fingerprint = JSON.readTree(alias).path("target").asText();
    return JSON.readTree(incus.client().run("query", "/1.0/images/" + fingerprint));
  }

  private Path file(String name) {
    return work.toAbsolutePath().resolve(name);
  }

  private static void run(String... command) throws IOException, InterruptedException {
    new Tool(command[0]).run(Stream.of(command).skip(1).toArray(String[]::new));
  }

  @Test
  void a_unified_image_is_the_same_one_there_and_back() throws Exception {
    stapes.images().export("busybox", file("unified.tar.zst"));
    incus.importImage("unified", file("unified.tar.zst"));
    ImageInfo ours = stapes.images().get("busybox");
    JsonNode theirs = image("unified");
    assertEquals(ours.fingerprint(), theirs.path("fingerprint").asText());
    assertEquals(ours.metadata().architecture(), theirs.path("architecture").asText());
    ours.metadata()
        .properties()
        .forEach((k, v) -> assertEquals(v, theirs.path("properties").path(k).asText()));

    incus.client().run("image", "export", "unified", file("back").toString());
    incus.client().run("image", "delete", "unified");
    Path back = only("back.");
    stapes.images().delete("busybox");
    ImageInfo again = stapes.images().importFrom(ImageSources.file(back), "busybox");
    assertEquals(ours.fingerprint(), again.fingerprint());
    assertEquals(ours.metadata().properties(), again.metadata().properties());
  }

  @Test
  void a_split_image_is_the_same_one_there_and_back() throws Exception {
    Path content = Files.createDirectory(file("content"));
    stapes.images().export("busybox", file("whole.tar.zst"));
    run("tar", "-C", content.toString(), "-xpf", file("whole.tar.zst").toString());
    run("tar", "-C", content.toString(), "-cJf", file("m.tar.xz").toString(), "metadata.yaml");
    Path squash = file("rootfs.squashfs");
    run("mksquashfs", content.resolve("rootfs").toString(), squash.toString(), "-quiet");
    ImageInfo ours =
        stapes.images().importFrom(ImageSources.split(file("m.tar.xz"), squash), "split");
    stapes.images().export("split", file("ours"));
    incus.importImage("split", file("ours"), file("ours.root"));
    assertEquals(ours.fingerprint(), image("split").path("fingerprint").asText());

    Path there = Files.createDirectory(file("there"));
    incus.client().run("image", "export", "split", there.toString());
    stapes.images().delete("split");
    ImageInfo again =
        stapes
            .images()
            .importFrom(
                ImageSources.split(
                    one(there, name -> !name.contains("squashfs")),
                    one(there, name -> name.contains("squashfs"))),
                "split");
    assertEquals(ours.fingerprint(), again.fingerprint());
  }

  @Test
  void what_incus_publishes_runs_here() throws Exception {
    stapes.images().export("busybox", file("base.tar.zst"));
    incus.importImage("base", file("base.tar.zst"));
    // Never started, so that it needs no ids of the machine.
    incus.client().run("create", "base", "made", "-c", "security.privileged=true");
    Files.writeString(file("note"), "written by incus\n");
    incus.client().run("file", "push", file("note").toString(), "made/etc/note");
    incus.client().run("publish", "made", "--alias", "made", "os=busy");
    incus.client().run("image", "export", "made", file("made").toString());
    ImageInfo info = stapes.images().importFrom(ImageSources.file(only("made.")), "made");
    assertEquals(image("made").path("fingerprint").asText(), info.fingerprint());
    assertEquals(Optional.of("busy"), Optional.ofNullable(info.metadata().properties().get("os")));

    incus.client().run("image", "delete", "base");
    Instance instance = stapes.instances().launch(InstanceSpec.container("made", "made").build());
    assertEquals("written by incus\n", instance.exec("cat", "/etc/note").orThrow().stdout());
    instance.delete(Delete.FORCE);
  }

  @Test
  void what_is_published_here_is_an_image_there() throws Exception {
    Instance instance = stapes.instances().launch(InstanceSpec.container("own", "busybox").build());
    instance.exec("sh", "-c", "echo written here > /etc/note; ln /etc/note /etc/again").orThrow();
    instance.stop(Stop.FORCE);
    ImageInfo ours =
        stapes.images().publish(PublishSpec.of(instance.id()).property("os", "stapes"), "own");
    instance.delete(Delete.FORCE);
    stapes.images().export("own", file("own.tar.zst"));
    incus.importImage("own", file("own.tar.zst"));
    assertEquals(ours.fingerprint(), image("own").path("fingerprint").asText());
    assertEquals("stapes", image("own").path("properties").path("os").asText());
    incus.client().run("create", "own", "own", "-c", "security.privileged=true");
    incus.client().run("file", "pull", "own/etc/again", file("again").toString());
    assertEquals("written here\n", Files.readString(file("again")));
  }

  private Path only(String prefix) throws IOException {
    return one(work.toAbsolutePath(), name -> name.startsWith(prefix));
  }

  private static Path one(Path directory, Predicate<String> isIt) throws IOException {
    try (Stream<Path> all = Files.list(directory)) {
      List<Path> found = all.filter(path -> isIt.test(path.getFileName().toString())).toList();
      assertEquals(1, found.size(), () -> directory + ": " + found);
      return found.get(0);
    }
  }
}
