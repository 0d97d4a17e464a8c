package dev.stapes.internal.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.internal.image.oci.OciFileSource;
import dev.stapes.model.OciFileSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.ImageSource;
import dev.stapes.spi.Tree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

/** Layouts and archives of docker save, changed in ways that hostile ones are. */
class OciFileFuzzTest {
  private static final Set<Kind> REFUSALS = Set.of(Kind.INVALID, Kind.UNSUPPORTED, Kind.NOT_FOUND);

  private static final List<byte[]> SEEDS = new ArrayList<>();
  private static final List<byte[]> LAYERS = new ArrayList<>();
  private static Path root = Path.of("");

  @BeforeContainer
  static void make() throws IOException {
    root = Files.createTempDirectory("oci-fuzz");
    byte[] zipped = FakeRegistry.layer(Map.of("etc/passwd", "root", "etc/os", "base"));
    byte[] plain = OciFiles.plain(zipped);
    LAYERS.add(zipped);
    LAYERS.add(plain);
    OciFiles layout = OciFiles.layout();
    layout.image("a", zipped);
    layout.links.put("link", "index.json");
    OciFiles saved = new OciFiles();
    saved.files.put("1/layer.tar", plain);
    saved.files.put("2.tar.gz", zipped);
    saved.savedList(
        List.of(OciFiles.saved(saved, "a:1", List.of("1/layer.tar", "2.tar.gz"), plain, plain)));
    for (OciFiles each : List.of(layout, saved)) {
      SEEDS.add(each.archive());
      SEEDS.add(Files.readAllBytes(each.gzip(root.resolve("seed"))));
    }
  }

  @AfterContainer
  static void remove() {
    new FakeHost(root).tree(root, Tree.Resolution.BENEATH).removeAll("");
  }

  /** What comes of it, if anything does, is what the digests say. */
  private static void requireRefusalOrTheSame(byte[] bytes) throws IOException {
    Path file = Files.write(root.resolve("image"), bytes);
    ImageSource.Context context = SmallImage.context(root);
    try {
      ImageSource.Fetched fetched = new OciFileSource(OciFileSpec.of(file)).fetch(context);
      for (ImageSource.Blob blob : fetched.blobs()) {
        byte[] content = Files.readAllBytes(blob.file());
        assertTrue(FakeRegistry.digest(content).endsWith(blob.digest()));
        if (blob.layer()) {
          boolean zipped = (content[0] & 0xff) == 0x1f; // its own header says nothing that counts
          assertArrayEquals(LAYERS.get(1), zipped ? OciFiles.plain(content) : content);
        }
      }
    } catch (StapesException e) {
      assertTrue(REFUSALS.contains(e.kind()), e::toString);
    } finally {
      try (Stream<Path> left = Files.list(context.work())) {
        for (Path each : left.toList()) {
          Files.delete(each);
        }
      }
      Files.delete(context.work());
    }
  }

  @Property(tries = 1_000, shrinking = ShrinkingMode.OFF)
  void flipped_bytes_are_refused_or_harmless(
      @ForAll @IntRange(max = 3) int seed, @ForAll long number) throws IOException {
    Random random = new Random(number);
    byte[] bytes = SEEDS.get(seed).clone();
    for (int i = 1 + random.nextInt(4); i > 0; i--) {
      bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
    }
    requireRefusalOrTheSame(bytes);
  }

  @Property(tries = 300, shrinking = ShrinkingMode.OFF)
  void cut_archives_are_refused_or_harmless(
      @ForAll @IntRange(max = 3) int seed, @ForAll long number) throws IOException {
    byte[] bytes = SEEDS.get(seed);
    requireRefusalOrTheSame(Arrays.copyOf(bytes, new Random(number).nextInt(bytes.length)));
  }

  /** With the checksums of the archive right, so that more of it is understood. */
  @Property(tries = 1_000, shrinking = ShrinkingMode.OFF)
  void changed_entries_are_refused_or_harmless(@ForAll boolean saved, @ForAll long number)
      throws IOException {
    Random random = new Random(number);
    byte[] bytes = SEEDS.get(saved ? 2 : 0).clone();
    int header = random.nextInt(bytes.length / TarFormat.BLOCK) * TarFormat.BLOCK;
    byte[] block = Arrays.copyOfRange(bytes, header, header + TarFormat.BLOCK);
    if (TarFormat.isHeader(block)) {
      int field = List.of(TarFormat.NAME, TarFormat.SIZE, TarFormat.TYPE).get(random.nextInt(3));
      block[field + random.nextInt(field == TarFormat.TYPE ? 1 : 12)] =
          (byte) "01234567xgLKS./\0".charAt(random.nextInt(16));
      TarFormat.seal(block);
    } else {
      block[random.nextInt(block.length)] = (byte) "{}[]\",:0a/".charAt(random.nextInt(10));
    }
    System.arraycopy(block, 0, bytes, header, block.length);
    requireRefusalOrTheSame(bytes);
  }

  @Example
  void the_seeds_are_images() throws IOException {
    for (byte[] seed : SEEDS) {
      Path file = Files.write(root.resolve("image"), seed);
      ImageSource.Fetched fetched =
          new OciFileSource(OciFileSpec.of(file)).fetch(SmallImage.context(root));
      assertArrayEquals(
          LAYERS.get(fetched.blobs().size() == 2 ? 0 : 1),
          Files.readAllBytes(fetched.blobs().get(1).file()));
    }
  }
}
