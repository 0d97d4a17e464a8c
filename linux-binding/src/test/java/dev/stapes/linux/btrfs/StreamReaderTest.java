package dev.stapes.linux.btrfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.stapes.linux.btrfs.StreamCommand.Attribute;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.UUID;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class StreamReaderTest {
  private static final int POLYNOMIAL = 0x82F63B78;

  /** Bit by bit, as the kernel's crc32c() with 0 to begin with. */
  private static int crc(byte[] bytes) {
    int crc = 0;
    for (byte b : bytes) {
      crc ^= b & 0xFF;
      for (int bit = 0; bit < 8; bit++) {
        crc = crc >>> 1 ^ ((crc & 1) != 0 ? POLYNOMIAL : 0);
      }
    }
    return crc;
  }

  private static byte[] attribute(Attribute attribute, byte[] value) {
    ByteBuffer bytes = ByteBuffer.allocate(4 + value.length).order(ByteOrder.LITTLE_ENDIAN);
    int number = Arrays.asList(Attribute.values()).indexOf(attribute) + 1;
    bytes.putShort((short) number).putShort((short) value.length).put(value);
    return bytes.array();
  }

  private static byte[] command(int number, byte[]... attributes) {
    ByteArrayOutputStream content = new ByteArrayOutputStream();
    Arrays.stream(attributes).forEach(content::writeBytes);
    ByteBuffer command = ByteBuffer.allocate(10 + content.size()).order(ByteOrder.LITTLE_ENDIAN);
    command.putInt(content.size()).putShort((short) number).putInt(0).put(content.toByteArray());
    command.putInt(6, crc(command.array()));
    return command.array();
  }

  private static byte[] stream(byte[]... commands) {
    ByteArrayOutputStream stream = new ByteArrayOutputStream();
    stream.writeBytes("btrfs-stream\0\1\0\0\0".getBytes(StandardCharsets.ISO_8859_1));
    Arrays.stream(commands).forEach(stream::writeBytes);
    return stream.toByteArray();
  }

  private static byte[] little(long value) {
    return ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array();
  }

  private static byte[] sample() {
    UUID uuid = new UUID(0x0011223344556677L, 0x8899AABBCCDDEEFFL);
    byte[] id =
        ByteBuffer.allocate(16).putLong(0x0011223344556677L).putLong(-0x7766554433221101L).array();
    assertEquals(uuid, new UUID(ByteBuffer.wrap(id).getLong(0), ByteBuffer.wrap(id).getLong(8)));
    byte[] time =
        ByteBuffer.allocate(12).order(ByteOrder.LITTLE_ENDIAN).putLong(7).putInt(9).array();
    return stream(
        command(
            1,
            attribute(Attribute.PATH, "name".getBytes(StandardCharsets.UTF_8)),
            attribute(Attribute.UUID, id),
            attribute(Attribute.CTRANSID, little(42))),
        command(
            20,
            attribute(Attribute.PATH, "file".getBytes(StandardCharsets.UTF_8)),
            attribute(Attribute.MTIME, time)),
        command(21));
  }

  private static StreamReader reader(byte[] bytes) {
    return new StreamReader(new ByteArrayInputStream(bytes));
  }

  private static void readAll(byte[] bytes) {
    StreamReader reader = reader(bytes);
    reader.begin();
    while (reader.next().type() != StreamCommand.Type.END) {
      // reads on
    }
  }

  @Test
  void commands_are_read_with_their_attributes() {
    StreamReader reader = reader(sample());
    reader.begin();
    StreamCommand first = reader.next();
    assertEquals(StreamCommand.Type.SUBVOL, first.type());
    assertEquals("name", first.text(Attribute.PATH));
    assertEquals(42, first.number(Attribute.CTRANSID));
    assertEquals(new UUID(0x0011223344556677L, 0x8899AABBCCDDEEFFL), first.uuid(Attribute.UUID));
    StreamCommand second = reader.next();
    assertEquals(StreamCommand.Type.UTIMES, second.type());
    assertEquals(Instant.ofEpochSecond(7, 9), second.time(Attribute.MTIME));
    BadStreamException missing =
        assertThrows(BadStreamException.class, () -> second.number(Attribute.SIZE));
    assertEquals("UTIMES without SIZE", missing.getMessage());
    assertEquals(StreamCommand.Type.END, reader.next().type());
  }

  @Property
  void a_stream_that_ends_early_is_bad(@ForAll @IntRange(max = 10_000) int length) {
    byte[] whole = sample();
    byte[] cut = Arrays.copyOf(whole, length % whole.length);
    assertThrows(BadStreamException.class, () -> readAll(cut));
  }

  @Property
  void a_stream_with_one_wrong_byte_is_bad(
      @ForAll @IntRange(max = 10_000) int place, @ForAll @IntRange(min = 1, max = 255) int change) {
    byte[] bytes = sample();
    bytes[place % bytes.length] ^= (byte) change;
    assertThrows(BadStreamException.class, () -> readAll(bytes));
  }

  @Property
  void a_command_with_a_right_checksum_and_any_content_is_read_or_bad(
      @ForAll @IntRange(min = 0, max = 30) int number, @ForAll @Size(max = 60) byte[] content) {
    byte[] bytes = stream(command(number, content), command(21));
    try {
      readAll(bytes);
    } catch (BadStreamException e) {
      assertEquals(BadStreamException.class, e.getClass());
    }
  }

  @Test
  void a_length_that_nobody_would_send_is_not_allocated() {
    ByteBuffer header = ByteBuffer.allocate(10).order(ByteOrder.LITTLE_ENDIAN);
    header.putInt(Integer.MAX_VALUE).putShort((short) 15);
    BadStreamException refused =
        assertThrows(BadStreamException.class, () -> readAll(stream(header.array())));
    assertEquals("a command of 2147483647 bytes", refused.getMessage());
  }

  @Test
  void another_version_is_named() {
    byte[] bytes = sample();
    bytes[13] = 2;
    BadStreamException refused = assertThrows(BadStreamException.class, () -> readAll(bytes));
    assertEquals("its version is 2, only 1 is known", refused.getMessage());
  }
}
