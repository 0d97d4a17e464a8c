package dev.stapes.storage.lvm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The form of the streams that pools send and receive. */
class VolumeStreamTest {
  private static final int SIZE = 1 << 20;
  private static final Optional<VolumeFormat> EXT4 = Optional.of(VolumeFormat.EXT4);
  private static final String CONTENT = "v" + "0".repeat(31) + "1";
  private static final String BASE = "v" + "0".repeat(31) + "2";
  private static final StreamHeader HEADER =
      new StreamHeader(CONTENT, Optional.of(BASE), Optional.of(VolumeFormat.XFS), SIZE);

  /** A device in memory. */
  private static final class Disk implements StreamReader.Sink {
    final byte[] bytes = new byte[SIZE];

    @Override
    public void data(long offset, byte[] data, int count) {
      System.arraycopy(data, 0, bytes, (int) offset, count);
    }

    @Override
    public void zeros(long offset, long length) {
      Arrays.fill(bytes, (int) offset, (int) (offset + length), (byte) 0);
    }
  }

  private static byte[] content() {
    byte[] some = new byte[300];
    new Random(1).nextBytes(some);
    return some;
  }

  private static byte[] stream() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    StreamWriter writer = new StreamWriter(out, HEADER);
    writer.data(4096, content(), 300);
    writer.zeros(8192, 65_536);
    writer.data(SIZE - 100, content(), 100);
    writer.end();
    return out.toByteArray();
  }

  private static Disk receive(byte[] stream) throws IOException {
    Disk disk = new Disk();
    Arrays.fill(disk.bytes, (byte) 7);
    StreamReader reader = new StreamReader(new ByteArrayInputStream(stream));
    StreamHeader header = reader.header();
    reader.pieces(header, disk);
    return disk;
  }

  private static BadStreamException refused(byte[] stream) {
    return assertThrows(BadStreamException.class, () -> receive(stream));
  }

  @Test
  void what_is_written_is_read_and_nothing_beyond() throws IOException {
    byte[] stream = stream();
    byte[] longer = Arrays.copyOf(stream, stream.length + 10);
    ByteArrayInputStream in = new ByteArrayInputStream(longer);
    StreamReader reader = new StreamReader(in);
    assertEquals(HEADER, reader.header());
    Disk disk = new Disk();
    reader.pieces(HEADER, disk);
    assertEquals(10, in.available());
    assertArrayEquals(content(), Arrays.copyOfRange(disk.bytes, 4096, 4396));
    assertEquals(0, receive(stream).bytes[8192]);
    assertEquals(7, receive(stream).bytes[0]);
  }

  @Test
  void a_stream_that_is_cut_anywhere_is_refused() throws IOException {
    byte[] stream = stream();
    for (int length = 0; length < stream.length; length++) {
      refused(Arrays.copyOf(stream, length));
    }
  }

  @Test
  void a_stream_with_any_byte_changed_is_refused() throws IOException {
    byte[] stream = stream();
    for (int at = 0; at < stream.length; at++) {
      byte[] changed = stream.clone();
      changed[at] ^= 0x20;
      refused(changed);
    }
  }

  @Test
  void pieces_that_are_missing_or_twice_are_refused() throws IOException {
    byte[] stream = stream();
    int piece = 1 + 8 + 8 + 4;
    int zeros = stream.length - (1 + 8 + 32) - (1 + 8 + 8 + 100 + 4) - piece;
    byte[] without = new byte[stream.length - piece];
    System.arraycopy(stream, 0, without, 0, zeros);
    System.arraycopy(stream, zeros + piece, without, zeros, without.length - zeros);
    assertTrue(String.valueOf(refused(without).getMessage()).contains("missing"));
    byte[] twice = new byte[stream.length + piece];
    System.arraycopy(stream, 0, twice, 0, zeros + piece);
    System.arraycopy(stream, zeros, twice, zeros + piece, stream.length - zeros);
    assertTrue(String.valueOf(refused(twice).getMessage()).contains("at 8192"));
  }

  /** Each with the right checksums: it is not chance that made them. */
  @Test
  void pieces_outside_of_the_volume_and_huge_ones_are_refused() throws IOException {
    for (long[] piece :
        new long[][] {
          {StreamWriter.DATA, SIZE, 1},
          {StreamWriter.DATA, SIZE - 1, 2},
          {StreamWriter.DATA, -1, 1},
          {StreamWriter.DATA, 0, 0},
          {StreamWriter.DATA, 0, StreamWriter.PIECE + 1},
          {StreamWriter.DATA, 0, Long.MAX_VALUE},
          {StreamWriter.DATA, 0, -1},
          {StreamWriter.DATA, Long.MAX_VALUE, 1},
          {StreamWriter.ZEROS, 0, StreamWriter.PIECE + 1},
          {StreamWriter.ZEROS, 0, SIZE + 1},
          {StreamWriter.ZEROS, 1, SIZE},
          {StreamWriter.ZEROS, 0, Long.MAX_VALUE},
          {9, 0, 1}
        }) {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      new StreamWriter(bytes, HEADER); // the header alone
      DataOutputStream out = new DataOutputStream(bytes);
      out.writeByte((int) piece[0]);
      out.writeLong(piece[1]);
      out.writeLong(piece[2]);
      byte[] data = new byte[(int) Math.max(0, Math.min(piece[2], 70_000))];
      out.write(data);
      out.writeInt(StreamWriter.checksum(piece[1], piece[2], data, data.length));
      refused(bytes.toByteArray());
    }
  }

  /** A device reads as zeros before anything was written to it: to write them takes space. */
  @Test
  void zeros_are_refused_in_a_whole_stream() throws IOException {
    StreamHeader whole = new StreamHeader(CONTENT, Optional.empty(), EXT4, SIZE);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    StreamWriter writer = new StreamWriter(out, whole);
    writer.zeros(4096, 4096);
    writer.end();
    assertTrue(String.valueOf(refused(out.toByteArray()).getMessage()).contains("at 4096"));
  }

  @Test
  void headers_that_make_no_sense_are_refused() throws IOException {
    for (StreamHeader header :
        new StreamHeader[] {
          new StreamHeader("", Optional.empty(), EXT4, SIZE),
          new StreamHeader("../../etc", Optional.empty(), EXT4, SIZE),
          new StreamHeader(CONTENT, Optional.of("--yes"), EXT4, SIZE),
          new StreamHeader(CONTENT, Optional.empty(), EXT4, 0),
          new StreamHeader(CONTENT, Optional.empty(), EXT4, -SIZE),
          new StreamHeader(CONTENT, Optional.empty(), EXT4, SIZE + 1),
          new StreamHeader(CONTENT, Optional.empty(), EXT4, Long.MAX_VALUE)
        }) {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      new StreamWriter(out, header).end();
      refused(out.toByteArray());
    }
    refused("no stream at all".repeat(10).getBytes(StandardCharsets.UTF_8));
  }
}
