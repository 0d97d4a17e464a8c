package dev.stapes.internal.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stapes.model.ImageMetadata;
import dev.stapes.model.Progress;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Tree;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.Tuple;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;
import org.apache.commons.compress.compressors.gzip.GzipCompressorOutputStream;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZOutputStream;

/** Whatever is in a tree survives; whatever is in an archive does no harm. */
class ArchivePropertiesTest {
  private static final ImageMetadata METADATA =
      ImageMetadata.container("x86_64", Instant.EPOCH, Map.of("os", "test"));
  private static final ArchiveLimits SMALL =
      new ArchiveLimits(1_000, 64, 4_095, Size.ofMebibytes(64), 1 << 20, 1 << 16, 1 << 10, 1_000);

  private static Path directory = Path.of("");

  @BeforeContainer
  static void makeDirectory() throws IOException {
    directory = Files.createTempDirectory("archive-properties");
  }

  @AfterContainer
  static void removeDirectory() throws IOException {
    for (String name : List.of("a", "b", "flipped")) {
      Files.deleteIfExists(directory.resolve(name));
    }
    Files.delete(directory);
  }

  @Property(tries = 150)
  void any_tree_packs_and_unpacks_to_itself(
      @ForAll("trees") MemoryTree tree, @ForAll boolean compressed) {
    Path archive = directory.resolve("a");
    pack(tree, archive, Optional.empty(), compressed);
    MemoryTree copy = new MemoryTree();
    new RootfsUnpacker(copy, true, ArchiveLimits.USUAL, Decoders.JAVA)
        .unpack(new ImageParts(archive, Optional.empty()), Progress.NONE);
    assertEquals(String.join("\n", tree.dump()), String.join("\n", copy.dump()));
  }

  @Property(tries = 30)
  void the_same_tree_gives_the_same_bytes(
      @ForAll("trees") MemoryTree tree, @ForAll("times") Instant time) throws IOException {
    pack(tree, directory.resolve("a"), Optional.of(time), true);
    MemoryTree copy = new MemoryTree();
    new RootfsUnpacker(copy, true, ArchiveLimits.USUAL, Decoders.JAVA)
        .unpack(new ImageParts(directory.resolve("a"), Optional.empty()), Progress.NONE);
    pack(copy, directory.resolve("b"), Optional.of(time), true);
    assertArrayEquals(
        Files.readAllBytes(directory.resolve("a")), Files.readAllBytes(directory.resolve("b")));
  }

  @Property(tries = 500, shrinking = ShrinkingMode.OFF)
  void flipped_bytes_are_refused_or_harmless(
      @ForAll long seed, @ForAll("compressions") Compression compression) throws IOException {
    Random random = new Random(seed);
    byte[] bytes = sample(compression);
    int flips = 1 + random.nextInt(4);
    for (int i = 0; i < flips; i++) {
      bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
    }
    Path archive = Files.write(directory.resolve("flipped"), bytes);
    try {
      new RootfsUnpacker(new MemoryTree(), true, SMALL, Decoders.JAVA)
          .unpack(new ImageParts(archive, Optional.empty()), Progress.NONE);
    } catch (StapesException e) {
      assertEquals(
          true,
          Set.of(StapesException.Kind.INVALID, StapesException.Kind.UNSUPPORTED).contains(e.kind()),
          e::toString);
    }
  }

  private static void pack(
      MemoryTree tree, Path archive, Optional<Instant> time, boolean compressed) {
    new RootfsPacker(tree, time, path -> true, Progress.NONE).pack(archive, compressed, METADATA);
  }

  /** A small archive with something of everything, sparse files included. */
  private static byte[] sample(Compression compression) throws IOException {
    ByteArrayOutputStream plain = new ByteArrayOutputStream();
    Instant time = Instant.ofEpochSecond(1_700_000_000L, 5);
    TarWriter tar = new TarWriter(plain);
    tar.add(TarEntry.directory("rootfs", 0755, time));
    tar.add(
        TarEntry.file("rootfs/a", 0644, 700, time).xattrs(Map.of("user.a", new byte[] {1, -1})),
        new byte[700]);
    tar.add(TarEntry.hardlink("rootfs/b", "rootfs/a", time));
    tar.add(TarEntry.symlink("rootfs/c", "../\u00e9", time));
    tar.add(TarEntry.of("rootfs/d", TarEntry.Kind.CHARACTER_DEVICE, 0600, 0, time, ""));
    plain.writeBytes(SparseSamples.format10("rootfs/sparse"));
    plain.writeBytes(SparseSamples.old("rootfs/old"));
    tar.finish();
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (OutputStream encoder =
        switch (compression) {
          case GZIP -> new GzipCompressorOutputStream(out);
          case XZ -> new XZOutputStream(out, new LZMA2Options(0));
          default -> out;
        }) {
      encoder.write(plain.toByteArray());
    }
    return out.toByteArray();
  }

  @Provide
  Arbitrary<Compression> compressions() {
    return Arbitraries.frequency(
        Tuple.of(6, Compression.NONE), Tuple.of(1, Compression.GZIP), Tuple.of(1, Compression.XZ));
  }

  @Provide
  Arbitrary<Instant> times() {
    return Combinators.combine(
            Arbitraries.longs().between(-5_000_000_000L, 50_000_000_000L),
            Arbitraries.integers().between(0, 999_999_999))
        .as(Instant::ofEpochSecond);
  }

  @Provide
  Arbitrary<MemoryTree> trees() {
    Arbitrary<String> names =
        Arbitraries.strings()
            .withChars("abc \u00e9\u4e2d\n\t\u0001\\\"%=.")
            .ofMinLength(1)
            .ofMaxLength(60)
            .filter(name -> !name.equals(".") && !name.equals("..") && !name.equals("dev"));
    Arbitrary<List<Long>> seeds = Arbitraries.longs().list().ofMaxSize(25);
    return Combinators.combine(names.list().ofSize(25), seeds, times().list().ofSize(26))
        .as(ArchivePropertiesTest::tree);
  }

  private static MemoryTree tree(List<String> names, List<Long> seeds, List<Instant> times) {
    MemoryTree tree = new MemoryTree();
    List<String> directories = new ArrayList<>(List.of(""));
    List<String> files = new ArrayList<>();
    List<String> all = new ArrayList<>();
    for (int i = 0; i < seeds.size(); i++) {
      Random random = new Random(seeds.get(i));
      String directory = directories.get(random.nextInt(directories.size()));
      String path = (directory.isEmpty() ? "" : directory + "/") + names.get(i);
      if (tree.stat(path).isEmpty()) {
        make(tree, path, random, directories, files);
        all.add(path);
      }
    }
    all.add("/");
    for (int i = 0; i < all.size(); i++) {
      Random random = new Random(i + 31L * seeds.size());
      long[] ids = {0, 1000, 2_097_151, 2_097_152, 4_294_967_294L};
      String path = all.get(i);
      tree.chown(path, ids[random.nextInt(ids.length)], ids[random.nextInt(ids.length)]);
      if (tree.stat(path).orElseThrow().type() != Tree.Type.SYMLINK) {
        tree.chmod(path, random.nextInt(010000));
      }
      byte[] value = new byte[random.nextInt(300)];
      random.nextBytes(value);
      if (random.nextInt(3) == 0) {
        tree.setXattr(path, "user.n%=" + random.nextInt(3), value);
        tree.setXattr(path, "security.capability", value);
      }
      tree.setModified(path, times.get(i));
    }
    return tree;
  }

  private static void make(
      MemoryTree tree, String path, Random random, List<String> directories, List<String> files) {
    switch (random.nextInt(7)) {
      case 0, 1 -> {
        tree.mkdir(path, 0755);
        directories.add(path);
      }
      case 2 -> tree.symlink("../".repeat(random.nextInt(60)) + path, path);
      case 3 -> tree.mkfifo(path, 0600);
      case 4 ->
          tree.mknod(
              path, Tree.Type.BLOCK_DEVICE, 0600, random.nextInt(4096), random.nextInt(1 << 20));
      case 5 -> {
        if (files.isEmpty()) {
          tree.mkdir(path, 0755);
        } else {
          tree.hardlink(files.get(random.nextInt(files.size())), path);
        }
      }
      default -> {
        byte[] content = new byte[random.nextInt(3) * 300 + random.nextInt(3)];
        random.nextBytes(content);
        try (OutputStream out = tree.create(path, 0644)) {
          out.write(content);
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
        files.add(path);
      }
    }
  }
}
