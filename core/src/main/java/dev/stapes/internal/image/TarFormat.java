package dev.stapes.internal.image;

import dev.stapes.model.StapesException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The header block of a tar archive: POSIX.1-1988 ustar with the extensions of GNU tar (base-256
 * numbers) that are found in the wild.
 */
final class TarFormat {
  /** Everything is a multiple of it. */
  static final int BLOCK = 512;

  static final int NAME = 0;
  static final int NAME_LENGTH = 100;
  static final int MODE = 100;
  static final int UID = 108;
  static final int GID = 116;
  static final int SIZE = 124;
  static final int MTIME = 136;
  static final int CHECKSUM = 148;
  static final int TYPE = 156;
  static final int LINK = 157;
  static final int MAGIC = 257;
  static final int MAJOR = 329;
  static final int MINOR = 337;
  static final int PREFIX = 345;
  static final int PREFIX_LENGTH = 155;
  static final int SHORT = 8;
  static final int LONG = 12;

  private static final byte[] USTAR = {'u', 's', 't', 'a', 'r', 0};

  private TarFormat() {}

  /** Whether a block has the checksum that it says. */
  static boolean isHeader(byte[] block) {
    long unsigned = 0;
    long signed = 0;
    for (int i = 0; i < BLOCK; i++) {
      boolean own = i >= CHECKSUM && i < CHECKSUM + SHORT;
      unsigned += own ? ' ' : block[i] & 0xff;
      signed += own ? ' ' : block[i];
    }
    try {
      long said = number(block, CHECKSUM, SHORT, "checksum");
      // Old tars summed up signed characters.
      return said == unsigned || said == signed;
    } catch (StapesException e) {
      return false;
    }
  }

  /** Whether it is the POSIX form, whose prefix field belongs to the name. */
  static boolean isUstar(byte[] block) {
    return Arrays.equals(block, MAGIC, MAGIC + USTAR.length, USTAR, 0, USTAR.length);
  }

  /** Whether it is nothing but zeros. */
  static boolean isZero(byte[] block) {
    for (byte b : block) {
      if (b != 0) {
        return false;
      }
    }
    return true;
  }

  /** A number: octal digits, or base 256 where the first bit is set. */
  static long number(byte[] block, int offset, int length, String what) {
    if ((block[offset] & 0x80) != 0) {
      return base256(block, offset, length, what);
    }
    int i = offset;
    int end = offset + length;
    while (i < end && block[i] == ' ') {
      i++;
    }
    long value = 0;
    for (; i < end && block[i] != 0 && block[i] != ' '; i++) {
      int digit = block[i] - '0';
      if (digit < 0 || digit > 7) {
        throw BadArchive.because(
            "a header's "
                + what
                + " is no number: "
                + BadArchive.quote(new String(block, offset, length, StandardCharsets.ISO_8859_1)));
      }
      value = value << 3 | digit; // at most 12 digits: 36 bits
    }
    return value;
  }

  private static long base256(byte[] block, int offset, int length, String what) {
    boolean negative = (block[offset] & 0x40) != 0;
    long value = negative ? -1 : 0;
    for (int i = 0; i < length; i++) {
      int next = block[offset + i] & 0xff;
      if (i == 0) {
        next = negative ? next : next & 0x7f;
      }
      if (value << 8 >> 8 != value) {
        throw BadArchive.because("a header's " + what + " does not fit 64 bits");
      }
      value = value << 8 | next;
    }
    return value;
  }

  /** The bytes of a text field, up to its end or the first NUL. */
  static byte[] field(byte[] block, int offset, int length) {
    int end = offset;
    while (end < offset + length && block[end] != 0) {
      end++;
    }
    return Arrays.copyOfRange(block, offset, end);
  }

  /** Text as UTF-8, which is the only encoding of names here. */
  static String text(byte[] bytes, String what) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw BadArchive.because(
          "a "
              + what
              + " is not UTF-8: "
              + BadArchive.quote(new String(bytes, StandardCharsets.ISO_8859_1)),
          e);
    }
  }

  /** Writes a number in octal; the caller has seen to it that it fits. */
  static void putNumber(byte[] block, int offset, int length, long value) {
    String digits = Long.toOctalString(value);
    Arrays.fill(block, offset, offset + length - 1, (byte) '0');
    byte[] ascii = digits.getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(ascii, 0, block, offset + length - 1 - ascii.length, ascii.length);
    block[offset + length - 1] = 0;
  }

  /** Whether a number can be written in octal. */
  static boolean fits(long value, int length) {
    return value >= 0 && value < 1L << (3 * (length - 1));
  }

  /** Writes the magic and, last, the checksum. */
  static void seal(byte[] block) {
    System.arraycopy(USTAR, 0, block, MAGIC, USTAR.length);
    block[MAGIC + 6] = '0';
    block[MAGIC + 7] = '0';
    Arrays.fill(block, CHECKSUM, CHECKSUM + SHORT, (byte) ' ');
    int sum = 0;
    for (byte b : block) {
      sum += b & 0xff;
    }
    putNumber(block, CHECKSUM, SHORT - 1, sum);
  }
}
