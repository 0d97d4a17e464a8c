package dev.stapes.linux.ffi;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * Names between Java and the kernel. The kernel's names are bytes, nearly always UTF-8, whatever
 * the locale of the JVM says. A byte that is not part of valid UTF-8 becomes one lone low surrogate
 * ({@code U+DC80} to {@code U+DCFF}) and back, so that every name survives a round trip.
 */
public final class CString {
  private CString() {}

  /**
   * The bytes of {@code name} with a NUL at the end.
   *
   * @throws IllegalArgumentException if the name itself contains a NUL
   */
  public static byte[] of(String name) {
    byte[] plain = encode(name);
    byte[] terminated = new byte[plain.length + 1];
    for (int i = 0; i < plain.length; i++) {
      if (plain[i] == 0) {
        throw new IllegalArgumentException("a NUL at byte " + i + " of " + quoted(name));
      }
      terminated[i] = plain[i];
    }
    return terminated;
  }

  /** The path's bytes with a NUL at the end. */
  public static byte[] of(Path path) {
    return of(path.toString());
  }

  /** The name's bytes, without a NUL at the end. */
  public static byte[] encode(String name) {
    boolean escaped = false;
    for (int i = 0; i < name.length() && !escaped; i++) {
      escaped = isEscape(name.charAt(i));
    }
    return escaped ? encodeWithEscapes(name) : name.getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] encodeWithEscapes(String name) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(name.length() + 16);
    for (int i = 0; i < name.length(); ) {
      int point = name.codePointAt(i);
      if (point <= 0xFFFF && isEscape((char) point)) {
        out.write(point & 0xFF);
      } else {
        out.writeBytes(Character.toString(point).getBytes(StandardCharsets.UTF_8));
      }
      i += Character.charCount(point);
    }
    return out.toByteArray();
  }

  /** The name that {@code bytes[from, to)} are; {@link #encode} gives the same bytes back. */
  public static String decode(byte[] bytes, int from, int to) {
    StringBuilder name = null;
    int start = from;
    for (int i = from; i < to; ) {
      int length = sequenceLength(bytes, i, to);
      if (length > 0) {
        i += length;
        continue;
      }
      name = name == null ? new StringBuilder(to - from) : name;
      name.append(new String(bytes, start, i - start, StandardCharsets.UTF_8));
      name.append((char) (0xDC00 | (bytes[i] & 0xFF)));
      i++;
      start = i;
    }
    String rest = new String(bytes, start, to - start, StandardCharsets.UTF_8);
    return name == null ? rest : name.append(rest).toString();
  }

  /** The length of the valid UTF-8 sequence at {@code at}, or 0 if there is none. */
  private static int sequenceLength(byte[] bytes, int at, int to) {
    int first = bytes[at] & 0xFF;
    if (first < 0x80) {
      return 1;
    }
    int length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || at + length > to) {
      return 0;
    }
    int point = first & (0x7F >> length);
    for (int i = 1; i < length; i++) {
      int next = bytes[at + i] & 0xFF;
      if ((next & 0xC0) != 0x80) {
        return 0;
      }
      point = point << 6 | (next & 0x3F);
    }
    int least = length == 4 ? 0x10000 : length == 3 ? 0x800 : 0x80;
    boolean surrogate = point >= 0xD800 && point <= 0xDFFF;
    return point < least || point > 0x10FFFF || surrogate ? 0 : length;
  }

  private static boolean isEscape(char c) {
    return c >= 0xDC80 && c <= 0xDCFF;
  }

  private static String quoted(String name) {
    return '"' + name.replace("\0", "\\0") + '"';
  }
}
