package dev.stapes.internal.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdOutputStreamNoFinalizer;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.UnaryOperator;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Files of zstd in frames, and of gzip in members that say how long they are. */
@Timeout(60)
class ArchivePartsTest {
  private static final int PIECE = 256 << 10;
  private static final int FRAME = 300_000;
  private static final int MEMBER = 60_000;
  private static final byte[] NOTHING = {};

  private final byte[] content = new byte[9 * FRAME + 11];
  private final Path file;

  ArchivePartsTest(@TempDir Path directory) {
    this.file = directory.resolve("archive");
  }

  @BeforeEach
  void fill() {
    Random random = new Random(2);
    for (int i = 0; i < content.length; i++) {
      content[i] = (byte) (random.nextInt(3) * i);
    }
  }

  /** A part of a file. */
  private interface Packing {
    byte[] pack(byte[] piece) throws IOException;
  }

  private byte[] packed(int length, Packing packing) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int at = 0; at < content.length; at += length) {
      bytes.writeBytes(
          packing.pack(Arrays.copyOfRange(content, at, Math.min(at + length, content.length))));
    }
    return bytes.toByteArray();
  }

  private static byte[] streamed(byte[] piece, int windowLog) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZstdOutputStreamNoFinalizer zstd = new ZstdOutputStreamNoFinalizer(bytes, 3)) {
      zstd.setLong(windowLog);
      zstd.setChecksum(true);
      zstd.write(piece, 0, piece.length / 2);
      zstd.flush();
      zstd.write(piece, piece.length / 2, piece.length - piece.length / 2);
    }
    return bytes.toByteArray();
  }

  private static byte[] skipped(byte[] piece) {
    byte[] frame = Zstd.compress(piece);
    ByteBuffer bytes = ByteBuffer.allocate(12 + frame.length).order(ByteOrder.LITTLE_ENDIAN);
    return bytes.putInt(0x184d2a50).putInt(4).putInt(frame.length).put(frame).array();
  }

  private static byte[] member(byte[] piece) {
    Deflater deflater = new Deflater(6, true);
    deflater.setInput(piece);
    deflater.finish();
    byte[] deflated = new byte[2 * piece.length + 100];
    int length = deflater.deflate(deflated);
    deflater.end();
    CRC32 crc = new CRC32();
    crc.update(piece);
    ByteBuffer bytes = ByteBuffer.allocate(18 + length + 8).order(ByteOrder.LITTLE_ENDIAN);
    bytes.put(new byte[] {0x1f, (byte) 0x8b, 8, 4, 0, 0, 0, 0, 0, (byte) 0xff, 6, 0, 'B', 'C', 2});
    bytes.put((byte) 0).putShort((short) (bytes.capacity() - 1)).put(deflated, 0, length);
    return bytes.putInt((int) crc.getValue()).putInt(piece.length).array();
  }

  private static byte[] gzip(byte[] piece) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(bytes)) {
      gzip.write(piece);
    }
    return bytes.toByteArray();
  }

  private Optional<ParallelDecoder> open(Compression compression) {
    return ParallelDecoder.open(file, compression, Decoders.JAVA, PIECE);
  }

  private void decodedInParts(Compression compression, byte[] archive) throws IOException {
    Files.write(file, archive);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ParallelDecoder decoder = open(compression).orElseThrow()) {
      for (var next = decoder.next(); next.isPresent(); next = decoder.next()) {
        bytes.write(next.get().block().bytes(), 0, next.get().length());
        next.get().block().release();
      }
    }
    assertArrayEquals(content, bytes.toByteArray());
    assertArrayEquals(content, read());
  }

  private void decodedInTurn(Compression compression, byte[] archive) throws IOException {
    Files.write(file, archive);
    assertEquals(Optional.empty(), open(compression));
    assertArrayEquals(content, read());
  }

  private byte[] read() {
    try (ArchiveInput in =
        ArchiveInput.openAhead(file, ArchiveLimits.USUAL, Decoders.JAVA, Progress.NONE, "read")) {
      byte[] all = new byte[content.length];
      assertTrue(in.read(all));
      assertTrue(!in.read(new byte[1]), "nothing is behind it");
      return all;
    }
  }

  private void refused(byte[] archive) throws IOException {
    Files.write(file, archive);
    StapesException e = assertThrows(StapesException.class, this::read);
    assertEquals(Kind.INVALID, e.kind(), e.toString());
  }

  @Test
  void frames_of_zstd_are_decoded_in_parts() throws IOException {
    decodedInParts(Compression.ZSTD, packed(FRAME, Zstd::compress));
    decodedInParts(Compression.ZSTD, packed(FRAME, piece -> streamed(piece, 0)));
    decodedInParts(Compression.ZSTD, packed(FRAME, ArchivePartsTest::skipped));
    decodedInParts(Compression.ZSTD, packed(200, Zstd::compress));
  }

  @Test
  void one_frame_or_a_large_window_is_for_one_thread() throws IOException {
    decodedInTurn(Compression.ZSTD, packed(content.length, Zstd::compress));
    decodedInTurn(Compression.ZSTD, packed(FRAME, piece -> streamed(piece, 25)));
  }

  @Test
  void frames_that_hold_the_same_byte_or_nothing_are_found() throws IOException {
    Arrays.fill(content, (byte) 7);
    byte[] frames = packed(FRAME, piece -> streamed(piece, 0));
    byte[] nothing = Zstd.compress(NOTHING);
    byte[] all = Arrays.copyOf(frames, frames.length + nothing.length);
    System.arraycopy(nothing, 0, all, frames.length, nothing.length);
    decodedInParts(Compression.ZSTD, all);
  }

  @Test
  void what_is_found_of_frames_is_what_is_there() throws IOException {
    Files.write(file, packed(FRAME, ArchivePartsTest::skipped));
    try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
      List<ZstdIndex.Frame> frames = ZstdIndex.read(in);
      assertEquals(10, frames.size());
      assertEquals(12, frames.get(0).position());
      assertEquals(FRAME, frames.get(0).size());
      assertEquals(11, frames.get(9).size());
      assertEquals(Files.size(file), frames.get(9).end());
    }
    Files.write(file, packed(FRAME, piece -> streamed(piece, 0)));
    try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
      for (ZstdIndex.Frame frame : ZstdIndex.read(in).subList(0, 9)) {
        assertTrue(frame.size() >= FRAME && frame.size() <= 5L * (128 << 10), frame.toString());
      }
    }
  }

  @Test
  void members_that_say_how_long_they_are_are_decoded_in_parts() throws IOException {
    decodedInParts(Compression.GZIP, packed(MEMBER, ArchivePartsTest::member));
    byte[] members = packed(MEMBER, ArchivePartsTest::member);
    byte[] last = member(NOTHING); // bgzip(1) ends its files with one
    byte[] all = Arrays.copyOf(members, members.length + last.length);
    System.arraycopy(last, 0, all, members.length, last.length);
    decodedInParts(Compression.GZIP, all);
    try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
      assertEquals(3, BgzfIndex.read(in).size());
    }
  }

  @Test
  void other_members_are_for_one_thread() throws IOException {
    decodedInTurn(Compression.GZIP, packed(MEMBER, ArchivePartsTest::gzip));
    decodedInTurn(Compression.GZIP, packed(content.length, ArchivePartsTest::gzip));
  }

  @Test
  void a_length_that_is_wrong_is_not_believed() throws IOException {
    byte[] members = packed(MEMBER, ArchivePartsTest::member);
    members[16] ^= 1;
    decodedInTurn(Compression.GZIP, members);
  }

  @Test
  void damage_is_told() throws IOException {
    for (UnaryOperator<byte[]> damage :
        List.<UnaryOperator<byte[]>>of(
            archive -> Arrays.copyOf(archive, archive.length - 5),
            archive -> Arrays.copyOf(archive, archive.length / 2),
            archive -> {
              archive[archive.length / 2] ^= 0x55;
              return archive;
            })) {
      refused(damage.apply(packed(FRAME, piece -> streamed(piece, 0))));
      refused(damage.apply(packed(MEMBER, ArchivePartsTest::member)));
    }
  }

  @Test
  void any_byte_that_changes_makes_an_error_or_no_difference() throws IOException {
    byte[] frames = packed(FRAME, piece -> streamed(piece, 0));
    byte[] members = packed(MEMBER, ArchivePartsTest::member);
    Random random = new Random(3);
    for (int i = 0; i < 60; i++) {
      byte[] changed = (i % 2 == 0 ? frames : members).clone();
      int at = i < 40 ? random.nextInt(64) : random.nextInt(changed.length);
      changed[at] = (byte) random.nextInt(256);
      Files.write(file, changed);
      try {
        assertArrayEquals(content, read(), "byte " + at);
      } catch (StapesException e) {
        assertTrue(e.kind() == Kind.INVALID, "byte " + at + ": " + e);
      }
    }
  }
}
