package dev.stapes.storage.lvm;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/**
 * Any text in the characters that a tag may have, see lvm(8): others are their bytes in UTF-8, each
 * as {@code #} and two hexadecimal digits.
 */
final class TagText {
  private static final String PLAIN = "_./-";

  private TagText() {}

  static String encode(String text) {
    StringBuilder encoded = new StringBuilder();
    for (byte one : text.getBytes(StandardCharsets.UTF_8)) {
      char character = (char) (one & 0xff);
      if (isPlain(character)) {
        encoded.append(character);
      } else {
        encoded.append('#').append(HexFormat.of().toHexDigits(one));
      }
    }
    return encoded.toString();
  }

  private static boolean isPlain(char character) {
    return (character >= 'a' && character <= 'z')
        || (character >= 'A' && character <= 'Z')
        || (character >= '0' && character <= '9')
        || PLAIN.indexOf(character) >= 0;
  }

  static String decode(String encoded) throws LvmReport.Malformed {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int i = 0; i < encoded.length(); i++) {
      char character = encoded.charAt(i);
      if (isPlain(character)) {
        bytes.write(character);
      } else if (encoded.startsWith("#", i) && i + 2 < encoded.length()) {
        bytes.write(number(encoded.substring(i + 1, i + 3)));
        i += 2;
      } else {
        throw new LvmReport.Malformed("no text of a tag: \"" + encoded + "\"");
      }
    }
    String text = bytes.toString(StandardCharsets.UTF_8);
    if (text.indexOf('\0') >= 0) {
      throw new LvmReport.Malformed("no path: \"" + encoded + "\"");
    }
    return text;
  }

  private static int number(String digits) throws LvmReport.Malformed {
    try {
      return HexFormat.fromHexDigits(digits);
    } catch (IllegalArgumentException e) {
      throw new LvmReport.Malformed("no hexadecimal digits: \"" + digits + "\"");
    }
  }
}
