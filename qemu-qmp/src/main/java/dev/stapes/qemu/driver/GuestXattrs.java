package dev.stapes.qemu.driver;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;

/** Reads what getfattr(1) says with values as hexadecimal numbers. */
final class GuestXattrs {
  private GuestXattrs() {}

  static Map<String, byte[]> parse(byte[] text) throws IOException {
    Map<String, byte[]> all = new TreeMap<>();
    for (String line : new String(text, StandardCharsets.ISO_8859_1).split("\n", -1)) {
      if (line.isEmpty() || line.startsWith("# ")) {
        continue;
      }
      int end = line.lastIndexOf('=');
      String name = end < 0 ? line : line.substring(0, end);
      all.put(plain(name), end < 0 ? new byte[0] : value(line.substring(end + 1)));
    }
    return all;
  }

  private static byte[] value(String text) throws IOException {
    if (text.isEmpty() || text.equals("\"\"")) {
      return new byte[0];
    }
    try {
      if (text.startsWith("0x")) {
        return HexFormat.of().parseHex(text.substring(2));
      }
    } catch (IllegalArgumentException e) {
      throw new IOException("with no value: " + GuestShell.abbreviated(text), e);
    }
    throw new IOException("with no value: " + GuestShell.abbreviated(text));
  }

  /** In names a backslash comes before three octal digits. */
  private static String plain(String name) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      if (c == '\\') {
        String digits = name.substring(i + 1, Math.min(i + 4, name.length()));
        if (!digits.matches("[0-3][0-7]{2}")) {
          throw new IOException("with no name: " + GuestShell.abbreviated(name));
        }
        bytes.write(Integer.parseInt(digits, 8));
        i += 3;
      } else {
        bytes.write(c);
      }
    }
    return GuestShell.text(bytes.toByteArray());
  }
}
