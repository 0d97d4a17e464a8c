package dev.stapes.internal.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.github.luben.zstd.ZstdOutputStreamNoFinalizer;
import dev.stapes.model.Progress;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import org.apache.commons.compress.compressors.bzip2.BZip2CompressorOutputStream;
import org.apache.commons.compress.compressors.gzip.GzipCompressorOutputStream;
import org.apache.commons.compress.compressors.lz4.FramedLZ4CompressorOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.LZMAOutputStream;
import org.tukaani.xz.XZOutputStream;

/** The forms that archives and files in them come in. */
class TarReaderTest {
  private final Path directory;

  TarReaderTest(@TempDir Path directory) {
    this.directory = directory;
  }

  private record Found(TarEntry entry, byte[] content) {}

  private List<Found> read(byte[] archive, ArchiveLimits limits) throws IOException {
    Path file = Files.write(directory.resolve("archive"), archive);
    List<Found> found = new ArrayList<>();
    try (ArchiveInput in = ArchiveInput.open(file, limits, Progress.NONE, "read")) {
      TarReader tar = new TarReader(in, limits);
      for (Optional<TarEntry> entry = tar.next(); entry.isPresent(); entry = tar.next()) {
        boolean hasContent = entry.get().kind() == TarEntry.Kind.FILE;
        byte[] content = hasContent ? tar.content(entry.get(), 16 << 20) : new byte[0];
        found.add(new Found(entry.get(), content));
      }
    }
    return found;
  }

  private static byte[] tar(byte[]... entries) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (byte[] entry : entries) {
      out.writeBytes(entry);
    }
    new TarWriter(out).finish();
    return out.toByteArray();
  }

  private static byte[] plain() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    TarWriter tar = new TarWriter(out);
    byte[] content = new byte[100_000];
    Arrays.fill(content, (byte) 'x');
    tar.add(TarEntry.file("f", 0640, content.length, Instant.ofEpochSecond(77)), content);
    tar.finish();
    return out.toByteArray();
  }

  private static byte[] encode(Compression compression, byte[] content) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    OutputStream encoder =
        switch (compression) {
          case NONE -> out;
          case GZIP -> new GzipCompressorOutputStream(out);
          case BZIP2 -> new BZip2CompressorOutputStream(out);
          case XZ -> new XZOutputStream(out, new LZMA2Options(1));
          case LZMA -> new LZMAOutputStream(out, new LZMA2Options(1), -1);
          case ZSTD -> new ZstdOutputStreamNoFinalizer(out).setChecksum(true);
          case LZ4 -> new FramedLZ4CompressorOutputStream(out);
        };
    encoder.write(content);
    encoder.close();
    return out.toByteArray();
  }

  @Test
  void every_compression_is_told_by_its_magic() throws IOException {
    for (Compression compression : Compression.values()) {
      List<Found> found = read(encode(compression, plain()), ArchiveLimits.USUAL);
      assertEquals(1, found.size(), compression.name());
      assertEquals(100_000, found.get(0).content.length, compression.name());
      assertEquals(0640, found.get(0).entry.mode());
    }
  }

  @Test
  void several_compressed_parts_in_a_row_are_one_archive() throws IOException {
    byte[] plain = plain();
    byte[] first = Arrays.copyOf(plain, 50_000);
    byte[] second = Arrays.copyOfRange(plain, 50_000, plain.length);
    for (Compression compression :
        List.of(
            Compression.GZIP,
            Compression.BZIP2,
            Compression.XZ,
            Compression.ZSTD,
            Compression.LZ4)) {
      ByteArrayOutputStream both = new ByteArrayOutputStream();
      both.writeBytes(encode(compression, first));
      both.writeBytes(encode(compression, second));
      assertEquals(
          100_000,
          read(both.toByteArray(), ArchiveLimits.USUAL).get(0).content.length,
          compression.name());
    }
  }

  @Test
  void a_compressed_archive_cut_short_is_refused_in_every_form() throws IOException {
    for (Compression compression : Compression.values()) {
      byte[] whole = encode(compression, plain());
      // Of a plain one, the padding behind its end may be missing.
      int length = compression == Compression.NONE ? 100_000 : whole.length - 5;
      StapesException e =
          assertThrows(
              StapesException.class,
              () -> read(Arrays.copyOf(whole, length), ArchiveLimits.USUAL),
              compression.name());
      assertEquals(StapesException.Kind.INVALID, e.kind(), e.toString());
    }
  }

  @Test
  void what_is_no_archive_is_named() throws IOException {
    refused(StapesException.Kind.INVALID, "is empty", new byte[0]);
    refused(
        StapesException.Kind.INVALID,
        "68 65 6c 6c 6f",
        "hello".getBytes(StandardCharsets.US_ASCII));
    refused(
        StapesException.Kind.UNSUPPORTED, "squashfs", "hsqs".getBytes(StandardCharsets.US_ASCII));
    refused(
        StapesException.Kind.UNSUPPORTED, "qcow2", new byte[] {'Q', 'F', 'I', (byte) 0xfb, 0, 0});
    refused(StapesException.Kind.INVALID, "damaged", new byte[] {0x1f, (byte) 0x8b, 8, 0});
  }

  @Test
  void a_missing_file_is_not_found() {
    StapesException e =
        assertThrows(
            StapesException.class,
            () ->
                ArchiveInput.open(
                    directory.resolve("none"), ArchiveLimits.USUAL, Progress.NONE, "read"));
    assertEquals(StapesException.Kind.NOT_FOUND, e.kind());
  }

  @Test
  void all_four_forms_of_sparse_files_are_understood() throws IOException {
    byte[] archive =
        tar(
            SparseSamples.old("old"),
            SparseSamples.format00("00"),
            SparseSamples.format01("01", "100,3,1998,2"),
            SparseSamples.format10("10"));
    List<Found> found = read(archive, ArchiveLimits.USUAL);
    assertEquals(
        List.of("old", "00", "01", "10"), found.stream().map(f -> f.entry.name()).toList());
    for (Found file : found) {
      assertEquals(2_000, file.entry.size());
      assertArrayEquals(SparseSamples.expected(), file.content, file.entry.name());
    }
  }

  @Test
  void attributes_in_the_way_of_bsdtar_are_understood() throws IOException {
    ByteArrayOutputStream pax = new ByteArrayOutputStream();
    PaxRecords.write(
        pax, "LIBARCHIVE.xattr.user.a%3D%25+", "AP8K".getBytes(StandardCharsets.US_ASCII));
    PaxRecords.write(pax, "LIBARCHIVE.xattr.user.b", "/w==".getBytes(StandardCharsets.US_ASCII));
    PaxRecords.write(pax, "LIBARCHIVE.xattr.user.c", "/w".getBytes(StandardCharsets.US_ASCII));
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(SparseSamples.extended(pax.toByteArray()));
    TarWriter tar = new TarWriter(out);
    tar.add(TarEntry.directory("d", 0755, Instant.EPOCH));
    tar.finish();
    SortedMap<String, byte[]> attributes =
        read(out.toByteArray(), ArchiveLimits.USUAL).get(0).entry.xattrs();
    assertEquals(Set.of("user.a=%+", "user.b", "user.c"), attributes.keySet());
    assertArrayEquals(new byte[] {0, -1, '\n'}, attributes.get("user.a=%+"));
    assertArrayEquals(new byte[] {-1}, attributes.get("user.b"));
    assertArrayEquals(new byte[] {-1}, attributes.get("user.c"));
  }

  @Test
  void maps_of_sparse_data_that_lie_are_refused() throws IOException {
    for (String map :
        List.of(
            "100,3",
            "100,3,1998",
            "1998,3,100,2",
            "-5,3,0,2",
            "x,3,0,2",
            "100,3,1999,2",
            "9223372036854775807,5,0,0",
            "100,9223372036854775800,200,2")) {
      refused(StapesException.Kind.INVALID, "", tar(SparseSamples.format01("f", map)));
    }
    for (String map : List.of("2\n100\n3\n", "99999999999\n", "-1\n", "1\n100\n3\n", "abc\n")) {
      refused(StapesException.Kind.INVALID, "", tar(SparseSamples.format10("f", map, 2_000)));
    }
    refused(
        StapesException.Kind.INVALID,
        "in all",
        tar(SparseSamples.format10("f", "2\n100\n3\n1998\n2\n", Long.MAX_VALUE)));
    refused(
        StapesException.Kind.INVALID,
        "in all",
        tar(
            SparseSamples.format10("f", "2\n100\n3\n1998\n2\n", Size.ofGibibytes(200).bytes()),
            SparseSamples.format10("g", "2\n100\n3\n1998\n2\n", Size.ofGibibytes(200).bytes())),
        true);
  }

  private void refused(StapesException.Kind kind, String part, byte[] archive) throws IOException {
    refused(kind, part, archive, false);
  }

  private void refused(StapesException.Kind kind, String part, byte[] archive, boolean headersOnly)
      throws IOException {
    Path file = Files.write(directory.resolve("refused"), archive);
    StapesException e =
        assertThrows(
            StapesException.class,
            () -> {
              if (headersOnly) {
                headers(file);
              } else {
                read(archive, ArchiveLimits.USUAL);
              }
            });
    assertEquals(kind, e.kind(), e.toString());
    assertTrue(e.toString().contains(part), e.toString());
  }

  private static void headers(Path file) {
    try (ArchiveInput in = ArchiveInput.open(file, ArchiveLimits.USUAL, Progress.NONE, "read")) {
      TarReader tar = new TarReader(in, ArchiveLimits.USUAL);
      Optional<TarEntry> entry = tar.next();
      while (entry.isPresent()) {
        entry = tar.next();
      }
    }
  }
}
