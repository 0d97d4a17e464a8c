package dev.stapes.storage.zfs;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.zip.DeflaterOutputStream;

/** Lists of numbers as the kernel packs them, and what it makes of them. */
final class FakePairs {
  private static final int VERSION_AT = 16;

  private FakePairs() {}

  static byte[] pack(Map<String, Long> numbers) {
    ByteBuffer out = ByteBuffer.allocate(64 * (numbers.size() + 1)).order(ByteOrder.LITTLE_ENDIAN);
    out.put(new byte[] {0, 1, 0, 0}).putInt(0).putInt(1);
    numbers.forEach(
        (name, number) -> {
          byte[] text = (name + "\0").getBytes(StandardCharsets.US_ASCII);
          int value = (16 + text.length + 7) / 8 * 8;
          int start = out.position();
          out.putInt(value + 8).putShort((short) text.length).putShort((short) 0).putInt(1);
          out.putInt(8).put(text).position(start + value);
          out.putLong(number);
        });
    out.putInt(0);
    return Arrays.copyOf(out.array(), out.position());
  }

  /** A token as ZFS writes it, but for its checksum. */
  static String token(Map<String, Long> numbers) {
    byte[] packed = pack(numbers);
    ByteArrayOutputStream compressed = new ByteArrayOutputStream();
    try (DeflaterOutputStream out = new DeflaterOutputStream(compressed)) {
      out.write(packed);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    String size = Integer.toHexString(packed.length);
    return "1-abc-" + size + "-" + HexFormat.of().formatHex(compressed.toByteArray());
  }

  /** The first record of a rest, with the list behind it. */
  static byte[] header(byte[] whole, long flag, ResumeToken.Position position) {
    byte[] list =
        pack(Map.of("resume_object", position.object(), "resume_offset", position.offset()));
    ByteBuffer out =
        ByteBuffer.allocate(StreamHeader.BYTES + list.length).order(ByteOrder.LITTLE_ENDIAN);
    out.put(whole, 0, StreamHeader.BYTES).put(list);
    out.putInt(4, list.length).putLong(VERSION_AT, out.getLong(VERSION_AT) | flag);
    return out.array();
  }

  static boolean isRest(byte[] stream, long flag) {
    return stream.length >= StreamHeader.BYTES
        && (ByteBuffer.wrap(stream).order(ByteOrder.LITTLE_ENDIAN).getLong(VERSION_AT) & flag) != 0;
  }

  /** How much the first record has, with its list. */
  static int size(byte[] stream) {
    return StreamHeader.BYTES + ByteBuffer.wrap(stream).order(ByteOrder.LITTLE_ENDIAN).getInt(4);
  }
}
