package dev.stapes.internal.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.ImageMetadata;
import dev.stapes.model.Progress;
import dev.stapes.model.PublishSpec.Compression;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.spi.ImageSource;
import dev.stapes.spi.Tree;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PublishedSourceTest {
  private static final int KIB = 1 << 10;
  private static final Instant TIME = Instant.parse("2026-01-02T03:04:05Z");
  private static final ImageMetadata METADATA =
      ImageMetadata.container("x86_64", TIME, Map.of("os", "test", "release", "3.20"));

  private final Path root;
  private final MemoryTree tree = new MemoryTree();

  PublishedSourceTest(@TempDir Path root) {
    this.root = root;
  }

  private ImageSource.Fetched publish(List<ImageTemplate> templates, Compression compression)
      throws IOException {
    ImageSource.Context context = SmallImage.context(Files.createTempDirectory(root, "work"));
    return new PublishedSource("a test", () -> tree, METADATA, templates, compression)
        .fetch(context);
  }

  private void write(String path, byte[] content) {
    try (OutputStream out = tree.create(path, 0644)) {
      out.write(content);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    tree.setModified(path, TIME);
  }

  private MemoryTree unpacked(ImageSource.Fetched image) {
    MemoryTree copy = new MemoryTree();
    new RootfsUnpacker(copy, true, ArchiveLimits.USUAL, Decoders.JAVA)
        .unpack(new ImageParts(image.archive(), Optional.empty()), Progress.NONE);
    return copy;
  }

  private static byte[] random(int size) {
    byte[] bytes = new byte[size];
    new Random(size).nextBytes(bytes);
    return bytes;
  }

  private static byte[] with(byte[] content, int at, byte[] data) {
    System.arraycopy(data, 0, content, at, data.length);
    return content;
  }

  /** Files with holes at all places. */
  private void fillWithHoles() {
    write("empty", new byte[0]);
    write("small-zeros", new byte[64 * KIB - 1]);
    write("zeros", new byte[300 * KIB]);
    write("begins", with(new byte[300 * KIB + 7], 0, random(5)));
    write("ends", with(new byte[300 * KIB], 299 * KIB, random(KIB)));
    write("middle", with(new byte[1000 * KIB], 512 * KIB, random(3)));
    write("none", random(200 * KIB));
    byte[] many = new byte[2000 * KIB];
    for (int i = 0; i < many.length; i += 100 * KIB) {
      with(many, i, random(8 * KIB));
    }
    write("many", many);
    tree.hardlink("many", "many-too");
    tree.setModified("/", TIME);
  }

  @ParameterizedTest
  @EnumSource
  void every_compression_brings_every_file_back_and_the_same_bytes_each_time(Compression how)
      throws IOException {
    fillWithHoles();
    tree.setXattr("none", "security.capability", new byte[] {1, 0, 0, 2});
    tree.setXattr("none", "trusted.of-the-host", new byte[] {1});
    ImageSource.Fetched image = publish(List.of(), how);
    assertArrayEquals(
        Files.readAllBytes(image.archive()), Files.readAllBytes(publish(List.of(), how).archive()));
    MemoryTree copy = unpacked(image);
    assertEquals(Set.of("security.capability"), copy.xattrs("none").keySet());
    MemoryTree expected = tree.copy();
    assertEquals(
        String.join("\n", expected.dump()).replaceAll(" ?trusted[^ \n]*", ""),
        String.join("\n", copy.dump()));
    assertEquals(METADATA, ImageArchive.fetched(image.archive(), Optional.empty(), "t").metadata());
  }

  @Test
  void holes_take_no_space_and_other_programs_read_them() throws IOException {
    write("file", with(new byte[20_000 * KIB], 9_999 * KIB, random(2)));
    Path archive = publish(List.of(), Compression.NONE).archive();
    assertTrue(Files.size(archive) < 40 * KIB, () -> "bytes: " + archive.toFile().length());
    try (TarFile tar = new TarFile(archive)) {
      TarArchiveEntry entry =
          tar.getEntries().stream()
              .filter(each -> each.getName().equals("rootfs/file"))
              .findFirst()
              .orElseThrow();
      assertTrue(entry.isPaxGNU1XSparse());
      assertEquals(20_000 * KIB, entry.getRealSize());
      assertArrayEquals(
          with(new byte[20_000 * KIB], 9_999 * KIB, random(2)),
          tar.getInputStream(entry).readAllBytes());
    }
  }

  @Test
  void a_file_of_very_many_pieces_is_stored_as_it_is() throws IOException {
    byte[] piece = with(new byte[68 * KIB], 0, new byte[] {1});
    assertEquals(Optional.empty(), Holes.find(repeated(piece, 10_001)));
    assertEquals(9_001, Holes.find(repeated(piece, 9_000)).orElseThrow().segments().size());
  }

  private static InputStream repeated(byte[] piece, int times) {
    return new InputStream() {
      private long at;

      @Override
      public int read() {
        return at >= (long) piece.length * times ? -1 : piece[(int) (at++ % piece.length)] & 0xff;
      }

      @Override
      public int read(byte[] into, int offset, int length) {
        int from = (int) (at % piece.length);
        int count = Math.min(length, piece.length - from);
        if (at >= (long) piece.length * times) {
          return -1;
        }
        System.arraycopy(piece, from, into, offset, count);
        at += count;
        return count;
      }
    };
  }

  @Test
  void templates_are_read_again_as_they_were() throws IOException {
    TreeMap<String, String> properties = new TreeMap<>(Map.of("a", "on", "b", "0x1"));
    List<ImageTemplate> templates =
        List.of(
            new ImageTemplate(
                "/etc/a: b", Set.of("create", "start"), true, "t.tpl", properties, 7, 8, 0600, "x"),
            new ImageTemplate(
                "/etc/c", Set.of("copy"), false, "t.tpl", new TreeMap<>(), 0, 0, 0, "x"));
    ImageSource.Fetched image = publish(templates, Compression.ZSTD);
    assertEquals(
        Optional.of(new ImageTemplates("x86_64", templates)),
        TemplateReader.read(image.archive(), METADATA));
    try (Tree copy = unpacked(image)) {
      assertEquals(List.of(), copy.list("/"));
    }
  }

  @Test
  void what_could_not_be_unpacked_again_is_refused() throws IOException {
    String path = "d";
    tree.mkdir(path, 0755);
    for (int depth = 1; depth < ArchiveLimits.USUAL.depth() - 1; depth++) {
      path += "/d";
      tree.mkdir(path, 0755);
    }
    for (int i = 0; i < 16; i++) {
      tree.setXattr("d", "user." + i, new byte[65_000]);
    }
    MemoryTree copy = unpacked(publish(List.of(), Compression.ZSTD));
    assertTrue(copy.stat(path).isPresent());
    tree.mkdir(path + "/d", 0755);
    refused("deeper than the allowed 256", () -> publish(List.of(), Compression.ZSTD));
    tree.setXattr("d", "user.more", new byte[65_000]);
    refused("more than the allowed 1048576", () -> publish(List.of(), Compression.ZSTD));
  }

  @Test
  void a_writer_of_archives_keeps_the_limits_of_readers() throws IOException {
    ArchiveLimits limits = ArchiveLimits.USUAL.entries(2).unpacked(Size.ofMebibytes(1));
    TarWriter tar = new TarWriter(OutputStream.nullOutputStream());
    tar.limit(limits);
    TarEntry sparse = TarEntry.file("a", 0644, (1 << 20) + 1, TIME);
    refused(
        "exceeds the allowed",
        () ->
            tar.add(
                sparse, new SparseMap(List.of(), sparse.size()), InputStream.nullInputStream()));
    TarWriter other = new TarWriter(OutputStream.nullOutputStream());
    other.limit(limits);
    other.add(TarEntry.directory("a", 0755, TIME));
    other.add(TarEntry.directory("b", 0755, TIME));
    refused("the allowed 2 entries", () -> other.add(TarEntry.directory("c", 0755, TIME)));
  }

  @Test
  void an_archive_that_is_compressed_too_well_is_refused() {
    byte[] piece = "x".repeat(1 << 20).getBytes(StandardCharsets.US_ASCII);
    long size = 600L << 20;
    refused(
        "compress it less",
        () ->
            ArchiveFile.write(
                root.resolve("archive"),
                Compression.ZSTD,
                new byte[0],
                TIME,
                tar -> {
                  tar.limit(ArchiveLimits.USUAL);
                  tar.add(TarEntry.file("f", 0644, size, TIME), repeated(piece, 600));
                }));
  }

  private static void refused(String words, Executable action) {
    StapesException e = assertThrows(StapesException.class, action);
    assertEquals(StapesException.Kind.INVALID, e.kind(), e.toString());
    assertTrue(e.toString().contains(words), e.toString());
  }
}
