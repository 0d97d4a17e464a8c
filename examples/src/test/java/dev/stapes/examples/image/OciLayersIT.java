package dev.stapes.examples.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.stapes.ImageSources;
import dev.stapes.model.ImageInfo;
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
}
