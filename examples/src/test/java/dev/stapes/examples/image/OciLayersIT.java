package dev.stapes.examples.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.ImageSources;
import dev.stapes.model.ImageInfo;
import dev.stapes.model.OciFileSpec;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Layers from a real registry on a real file system, against what umoci(1) makes of them. */
@RequiresRoot
@RequiresKernel("loop")
@RequiresKernel("btrfs")
@RequiresTool("mkfs.btrfs")
@RequiresTool("docker-registry")
@RequiresTool("skopeo")
@RequiresTool("umoci")
class OciLayersIT {
  private static final Map<String, Object> CONFIG = Map.of("Cmd", List.of("true"));

  private ImageBench bench;
  private Registry registry;
  private Path base;
  private Path second;

  @BeforeEach
  void start() throws IOException, InterruptedException {
    bench = new ImageBench();
    registry = new Registry(bench.root().resolve("registry"), false);
    base =
        layer(
            "base",
            Map.of("etc/gone", "g", "etc/stays", "s", "opaque/below", "b", "file/a", "directory"));
    Files.createSymbolicLink(base.resolve("to-etc"), Path.of("etc"));
    Files.createLink(base.resolve("linked"), base.resolve("etc/stays"));
    second = layer("second", Map.of("etc/.wh.gone", "", "etc/new", "n", "opaque/kept/a", "a"));
  }

  @AfterEach
  void stop() {
    registry.close();
    bench.close();
  }

  private Path layer(String name, Map<String, String> files) throws IOException {
    Path layer = Files.createDirectories(bench.root().resolve(name));
    for (Map.Entry<String, String> file : files.entrySet()) {
      Path path = layer.resolve(file.getKey());
      Files.createDirectories(path.resolveSibling(""));
      Files.writeString(path, file.getValue());
    }
    return layer;
  }

  private ImageInfo bring(String image) {
    return bench.bring(ImageSources.oci(registry.name() + "/" + image));
  }

  private List<String> files(VolumeId volume) {
    try (Tree tree = bench.files(volume)) {
      return ImageBench.describe(tree);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"gzip", "zstd"})
  void layers_become_what_umoci_makes_of_them(String compression)
      throws IOException, InterruptedException {
    Path third =
        layer("third", Map.of("opaque/.wh..wh..opq", "", "opaque/b", "b", "file", "a file"));
    Files.createSymbolicLink(third.resolve("link"), Path.of("/etc/new"));
    Files.createLink(third.resolve("hard"), third.resolve("opaque/b"));
    Path layout = registry.layout("tree", CONFIG, base, second, third);
    registry.push(layout, "tree", "--dest-compress-format", compression);
    Path bundle = bench.root().resolve("bundle");
    Registry.run("umoci", "unpack", "--image", layout + ":it", bundle.toString());

    List<String> ours = files(bench.unpacked(bring("tree")));
    try (Tree theirs = bench.host().tree(bundle.resolve("rootfs"), Tree.Resolution.BENEATH)) {
      assertEquals(ImageBench.describe(theirs), ours);
    }
  }

  @Test
  void images_share_the_volumes_of_their_layers() throws IOException, InterruptedException {
    registry.push(registry.layout("first", CONFIG, base, second), "first");
    Path other = layer("other", Map.of("etc/other", "o"));
    registry.push(registry.layout("more", CONFIG, base, second, other), "more");
    ImageInfo first = bring("first");
    VolumeId below = bench.unpacked(first);
    List<String> before = files(below);
    assertEquals(2, bench.pool().list(VolumeId.Kind.IMAGE).size());

    ImageInfo more = bring("more");
    VolumeId volume = bench.unpacked(more);
    assertEquals(3, bench.pool().list(VolumeId.Kind.IMAGE).size());
    assertEquals(before, files(below));
    bench.store().delete(more.fingerprint(), Map.of("pool", bench.pool()));
    assertFalse(bench.pool().exists(volume));
    assertEquals(before, files(below));
    assertEquals(2, bench.pool().list(VolumeId.Kind.IMAGE).size());
  }

  @ParameterizedTest
  @ValueSource(strings = {"oci", "v2s2"})
  void an_image_goes_out_as_it_came_and_others_read_it(String format)
      throws IOException, InterruptedException {
    registry.push(registry.layout("trip", CONFIG, base, second), "trip", "--format", format);
    ImageInfo image = bring("trip");
    List<String> ours = files(bench.unpacked(image));
    Path out = bench.root().resolve("out.tar");
    bench.store().export(image.fingerprint(), out, Progress.NONE);
    String told = bench.run("skopeo", "inspect", "oci-archive:" + out);
    assertTrue(told.contains("\"Digest\": \"sha256:" + image.fingerprint() + "\""), told);
    Path saved = bench.root().resolve("saved.tar");
    skopeo("oci-archive:" + out, "docker-archive:" + saved + ":example.org/app:1");
    if (format.equals("oci")) {
      assertEquals(ours, asUmociUnpacks(out, registry.name() + "/trip:latest"));
    }

    try (ImageBench other = new ImageBench()) {
      ImageInfo back = other.bring(ImageSources.oci(out));
      assertEquals(image.fingerprint(), back.fingerprint());
      assertEquals(image.metadata(), back.metadata());
      Path again = bench.root().resolve("again.tar");
      other.store().export(back.fingerprint(), again, Progress.NONE);
      assertEquals(-1, Files.mismatch(out, again));
      try (Tree tree = other.files(other.unpacked(back))) {
        assertEquals(ours, ImageBench.describe(tree));
      }
      ImageInfo ofDocker = other.bring(ImageSources.oci(saved));
      assertEquals("example.org/app:1", ofDocker.metadata().properties().get("id"));
      try (Tree tree = other.files(other.unpacked(ofDocker))) {
        assertEquals(ours, ImageBench.describe(tree));
      }
    }
  }

  private static void skopeo(String from, String to) throws IOException, InterruptedException {
    Registry.run("skopeo", "--insecure-policy", "copy", "-q", from, to);
  }

  private List<String> asUmociUnpacks(Path archive, String name)
      throws IOException, InterruptedException {
    Path layout = Files.createDirectory(bench.root().resolve("layout"));
    Registry.run("tar", "-C", layout.toString(), "-xf", archive.toString());
    Path bundle = bench.root().resolve("bundle");
    Registry.run("umoci", "unpack", "--image", layout + ":" + name, bundle.toString());
    try (Tree tree = bench.host().tree(bundle.resolve("rootfs"), Tree.Resolution.BENEATH)) {
      return ImageBench.describe(tree);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"oci", "oci-archive"})
  void what_skopeo_writes_is_read(String form) throws IOException, InterruptedException {
    Path layout = registry.layout("local", CONFIG, base, second);
    Path written = bench.root().resolve("written");
    skopeo("oci:" + layout + ":it", form + ":" + written + ":first");
    ImageInfo image = bench.bring(ImageSources.oci(written));
    assertEquals("first", image.metadata().properties().get("id"));
    assertEquals(
        image.fingerprint(),
        bench.bring(ImageSources.oci(OciFileSpec.of(written).image("first"))).fingerprint());
    assertEquals(
        files(bench.unpacked(bench.bring(ImageSources.oci(layout)))), files(bench.unpacked(image)));
  }

  @Test
  void a_link_of_a_layout_leads_nowhere_outside() throws IOException, InterruptedException {
    Path layout = registry.layout("links", CONFIG, base, second);
    Path moved = Files.move(layout.resolve("index.json"), layout.resolve("listed"));
    Files.createSymbolicLink(layout.resolve("index.json"), Path.of("listed"));
    bring(layout);

    Path outside = Files.move(moved, bench.root().resolve("outside"));
    for (Path target : List.of(outside, Path.of("../../outside"), Path.of("/dev/zero"))) {
      Files.delete(layout.resolve("index.json"));
      Files.createSymbolicLink(layout.resolve("index.json"), target);
      StapesException e = assertThrows(StapesException.class, () -> bring(layout));
      assertEquals(StapesException.Kind.INVALID, e.kind(), e.toString());
    }
    Files.delete(layout.resolve("index.json"));
    Registry.run("mkfifo", layout.resolve("index.json").toString());
    StapesException e = assertThrows(StapesException.class, () -> bring(layout));
    assertEquals(StapesException.Kind.INVALID, e.kind(), e.toString());
  }

  private ImageInfo bring(Path path) {
    return bench.bring(ImageSources.oci(path));
  }
}
