package dev.stapes.storage.zfs;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;
import java.util.zip.InflaterInputStream;

/** Lists of numbers as the kernel packs them, and what it makes of them. */
final class FakePairs {
  private static final int VERSION_AT = 16;

  private FakePairs() {}

  static byte[] pack(Map<String, Long> numbers) {
    return PackedPairs.pack(numbers, Map.of(), Set.of());
  }

  /** A token as ZFS writes it. */
  static String token(Map<String, Long> numbers) {
    return ResumeToken.write(pack(numbers));
  }

  /** The same with the name of a snapshot, and flags. */
  static String token(Map<String, Long> numbers, String name, Set<String> flags) {
    return ResumeToken.write(PackedPairs.pack(numbers, Map.of("toname", name), flags));
  }

  /** The name in a token. */
  static String name(String token) {
    byte[] compressed = HexFormat.of().parseHex(token.substring(token.lastIndexOf('-') + 1));
    try (InputStream in = new InflaterInputStream(new ByteArrayInputStream(compressed))) {
      String packed = new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
      int at = packed.indexOf("toname\0") + 8;
      return packed.substring(at, packed.indexOf('\0', at));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
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
