package dev.stapes.internal.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.Progress;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Availability;
import dev.stapes.spi.Decoder;
import dev.stapes.spi.DecoderProvider;
import dev.stapes.spi.DecoderProvider.Format;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZ;
import org.tukaani.xz.XZOutputStream;

@Timeout(60)
class ParallelDecoderTest {
  private static final int BLOCK = 300_000;
  private static final int PIECE = 256 << 10;

  private final byte[] content = new byte[7 * BLOCK + 11];
  private final Path file;

  ParallelDecoderTest(@TempDir Path directory) {
    this.file = directory.resolve("archive.xz");
  }

  @BeforeEach
  void fill() {
    Random random = new Random(1);
    for (int i = 0; i < content.length; i++) {
      content[i] = (byte) (random.nextInt(3) * i);
    }
  }

  private byte[] compressed(int block) throws IOException {
    return compressed(block, new LZMA2Options(1));
  }

  private byte[] compressed(int block, LZMA2Options options) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (XZOutputStream xz = new XZOutputStream(bytes, options)) {
      for (int at = 0; at < content.length; at += block) {
        xz.write(content, at, Math.min(block, content.length - at));
        xz.endBlock();
      }
    }
    return bytes.toByteArray();
  }

  private Optional<ParallelDecoder> open() {
    return ParallelDecoder.open(file, Compression.XZ, Decoders.JAVA, PIECE);
  }

  private byte[] all(ParallelDecoder blocks) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    long read = 0;
    for (Optional<ArchiveDecoder.Piece> next = blocks.next();
        next.isPresent();
        next = blocks.next()) {
      ArchiveDecoder.Piece piece = next.get();
      assertTrue(piece.length() > 0 && piece.length() <= PIECE);
      assertTrue(piece.read() >= read && piece.read() <= Files.size(file));
      read = piece.read();
      bytes.write(piece.block().bytes(), 0, piece.length());
      piece.block().release();
    }
    return bytes.toByteArray();
  }

  /** An executor that has ended says so a moment before its last thread does: that is awaited. */
  private static void requireNoThread() {
    for (Thread thread : Thread.getAllStackTraces().keySet()) {
      if (thread.getName().equals(ParallelDecoder.THREAD)) {
        assertTimeoutPreemptively(Duration.ofSeconds(60), () -> thread.join());
      }
    }
  }

  private StapesException refused(byte[] archive) throws IOException {
    Files.write(file, archive);
    try (ArchiveInput in =
        ArchiveInput.openAhead(file, ArchiveLimits.USUAL, Decoders.JAVA, Progress.NONE, "read")) {
      StapesException e =
          assertThrows(
              StapesException.class,
              () -> {
                while (in.read(new byte[1000])) {
                  in.skip(1000);
                }
              });
      assertEquals(StapesException.Kind.INVALID, e.kind());
      return e;
    } finally {
      requireNoThread();
    }
  }

  @Test
  void several_blocks_are_the_content_in_order() throws IOException {
    Files.write(file, compressed(BLOCK));
    try (ParallelDecoder blocks = open().orElseThrow()) {
      assertArrayEquals(content, all(blocks));
      assertEquals(Optional.empty(), blocks.next(), "the end stays the end");
    }
    requireNoThread();
  }

  @Test
  void one_block_is_for_one_thread() throws IOException {
    Files.write(file, compressed(content.length));
    assertEquals(Optional.empty(), open());
  }

  @Test
  void who_stops_early_leaves_no_thread() throws IOException {
    Files.write(file, compressed(BLOCK));
    try (ParallelDecoder blocks = open().orElseThrow()) {
      assertEquals(content[0], blocks.next().orElseThrow().block().bytes()[0]);
    }
    requireNoThread();
  }

  @Test
  void only_one_file_at_a_time_takes_the_heap() throws IOException {
    Files.write(file, compressed(BLOCK));
    try (ParallelDecoder first = open().orElseThrow()) {
      assertEquals(Optional.empty(), open());
      first.close();
      open().orElseThrow().close();
    }
    open().orElseThrow().close();
  }

  @Test
  void a_dictionary_for_which_there_is_no_room_is_for_one_thread() throws IOException {
    LZMA2Options large = new LZMA2Options(1);
    large.setDictSize(32 << 20);
    Files.write(file, compressed(BLOCK, large));
    assertEquals(Optional.empty(), open());
  }

  @Test
  void a_damaged_block_is_told() throws IOException {
    byte[] archive = compressed(BLOCK);
    archive[archive.length / 2] ^= 1;
    assertTrue(refused(archive).toString().contains("is damaged"));
  }

  @Test
  void a_file_without_its_index_is_read_as_far_as_it_goes() throws IOException {
    byte[] archive = compressed(BLOCK);
    byte[] cut = Arrays.copyOf(archive, archive.length / 2);
    assertTrue(refused(cut).toString().contains("is damaged"));
  }

  @Test
  void blocks_of_several_streams_with_padding_between_them_are_found() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    bytes.writeBytes(compressed(BLOCK));
    bytes.writeBytes(new byte[8]);
    try (XZOutputStream xz = new XZOutputStream(bytes, new LZMA2Options(1), XZ.CHECK_SHA256)) {
      xz.write(content, 0, 10);
    }
    bytes.writeBytes(new byte[4]);
    Files.write(file, bytes.toByteArray());
    try (ParallelDecoder blocks = open().orElseThrow()) {
      byte[] found = all(blocks);
      assertEquals(content.length + 10, found.length);
      assertArrayEquals(content, Arrays.copyOf(found, content.length));
    }
  }

  @Test
  void an_index_that_does_not_fit_is_no_index() throws IOException {
    byte[] archive = compressed(BLOCK);
    for (int i = 1; i < 60; i += 7) {
      byte[] damaged = archive.clone();
      damaged[archive.length - i] ^= 0x11;
      Files.write(file, damaged);
      assertEquals(Optional.empty(), open(), "at -" + i);
      assertEquals(StapesException.Kind.INVALID, refused(damaged).kind());
    }
    for (int length : new int[] {0, 1, 11, 12, archive.length - 1, archive.length - 4}) {
      Files.write(file, Arrays.copyOf(archive, length));
      assertEquals(Optional.empty(), open(), "of " + length);
    }
  }

  /** What the index says is in the file; the block itself says something else. */
  @Test
  void a_block_that_is_not_as_its_index_says_is_refused() throws IOException {
    Files.write(file, compressed(BLOCK));
    List<XzIndex.Block> index;
    byte[] stored;
    try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
      index = XzIndex.read(in);
      stored = new byte[(int) index.get(0).length()];
      in.seek(index.get(0).position());
      in.readFully(stored);
    }
    assertEquals(8, index.size());
    XzIndex.Block first = index.get(0);
    assertArrayEquals(Arrays.copyOf(content, BLOCK), alone(first, stored));
    for (XzIndex.Block other :
        List.of(
            new XzIndex.Block(first.position(), first.unpadded(), BLOCK - 1, first.check(), true),
            new XzIndex.Block(first.position(), first.unpadded() + 1, BLOCK, first.check(), true),
            new XzIndex.Block(first.position(), first.unpadded(), BLOCK, (byte) 1, true))) {
      assertThrows(IOException.class, () -> alone(other, stored), other.toString());
    }
  }

  @Test
  void a_later_stream_that_wants_more_memory_is_for_one_thread() throws IOException {
    LZMA2Options large = new LZMA2Options(1);
    large.setDictSize(64 << 20);
    byte[] first = compressed(BLOCK);
    byte[] second = compressed(BLOCK, large);
    byte[] both = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, both, first.length, second.length);
    Files.write(file, both);
    assertEquals(Optional.empty(), open());
    requireNoThread();
  }

  @Test
  void who_asks_again_is_told_of_the_damage_again() throws IOException {
    byte[] damaged = compressed(BLOCK);
    damaged[damaged.length / 2] ^= 1;
    Files.write(file, damaged);
    try (ParallelDecoder blocks = open().orElseThrow()) {
      IOException told = assertThrows(IOException.class, () -> all(blocks));
      assertEquals(told, assertThrows(IOException.class, blocks::next));
    }
    requireNoThread();
  }

  private static byte[] alone(XzIndex.Block block, byte[] stored) throws IOException {
    try (JavaDecoder decoder = JavaDecoder.of(Format.XZ, Size.ofMebibytes(16));
        DecoderInput in =
            new DecoderInput(decoder, block.alone(new ByteArrayInputStream(stored)))) {
      return in.readAllBytes();
    }
  }

  @Test
  void an_interrupt_ends_the_waiting_and_stays_visible() throws IOException {
    Files.write(file, compressed(BLOCK));
    try (ArchiveInput in =
        ArchiveInput.openAhead(file, ArchiveLimits.USUAL, Decoders.JAVA, Progress.NONE, "read")) {
      Thread.currentThread().interrupt();
      StapesException e = assertThrows(StapesException.class, () -> in.read(new byte[10]));
      assertEquals(StapesException.Kind.INTERRUPTED, e.kind());
    } finally {
      assertTrue(Thread.interrupted());
    }
    requireNoThread();
  }

  @Test
  void what_a_decoder_throws_is_what_is_told_and_every_decoder_is_closed() throws IOException {
    Files.write(file, compressed(BLOCK));
    FakeDecoders fake = new FakeDecoders();
    fake.failing = 3;
    try (ArchiveInput in =
        ArchiveInput.openAhead(
            file, ArchiveLimits.USUAL, new Decoders(List.of(fake)), Progress.NONE, "read")) {
      StapesException e = assertThrows(StapesException.class, () -> in.skip(content.length));
      assertEquals(StapesException.Kind.EXHAUSTED, e.kind());
    }
    assertTrue(fake.opened.get() >= 1);
    assertEquals(fake.opened.get(), fake.closed.get());
    requireNoThread();
  }

  @Test
  void a_provider_that_is_not_available_is_not_asked() throws IOException {
    FakeDecoders fake = new FakeDecoders();
    fake.availability = Availability.unavailable("liblzma.so.5 not found", "install it");
    Decoders decoders = new Decoders(List.of(fake));
    assertTrue(decoders.isOnHeap(Format.XZ));
    Files.write(file, compressed(BLOCK));
    try (ParallelDecoder blocks =
        ParallelDecoder.open(file, Compression.XZ, decoders, PIECE).orElseThrow()) {
      assertArrayEquals(content, all(blocks));
    }
    assertEquals(0, fake.opened.get());
  }

  @Test
  void the_first_provider_that_can_is_taken() throws IOException {
    FakeDecoders none = new FakeDecoders();
    none.formats = Set.of();
    FakeDecoders first = new FakeDecoders();
    FakeDecoders second = new FakeDecoders();
    Decoders decoders = new Decoders(List.of(none, first, second));
    assertTrue(!decoders.isOnHeap(Format.XZ));
    Files.write(file, compressed(content.length));
    try (ArchiveInput in =
        ArchiveInput.openAhead(file, ArchiveLimits.USUAL, decoders, Progress.NONE, "read")) {
      byte[] found = new byte[content.length];
      assertTrue(in.read(found));
      assertArrayEquals(content, found);
    }
    assertEquals(1, first.opened.get());
    assertEquals(1, first.closed.get());
    assertEquals(0, none.opened.get() + second.opened.get());
  }

  /** XZ for Java as if somebody else had brought it. */
  private static final class FakeDecoders implements DecoderProvider {
    private final AtomicInteger opened = new AtomicInteger();
    private final AtomicInteger closed = new AtomicInteger();
    private final AtomicInteger begun = new AtomicInteger();
    private Set<Format> formats = Set.of(Format.XZ);
    private Availability availability = Availability.available();
    private int failing = Integer.MAX_VALUE;

    @Override
    public String name() {
      return "fake";
    }

    @Override
    public Set<Format> formats() {
      return formats;
    }

    @Override
    public Availability probe() {
      return availability;
    }

    @Override
    public Decoder open(Format format, Size memory) {
      opened.incrementAndGet();
      Decoder java = JavaDecoder.of(format, memory);
      return new Decoder() {
        @Override
        public void begin(InputStream in) {
          if (begun.incrementAndGet() >= failing) {
            throw new StapesException(StapesException.Kind.EXHAUSTED, "fake", "no memory");
          }
          java.begin(in);
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
          return java.read(into, offset, length);
        }

        @Override
        public void close() {
          closed.incrementAndGet();
          java.close();
        }
      };
    }
  }
}
