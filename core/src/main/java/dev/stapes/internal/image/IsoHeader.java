package dev.stapes.internal.image;

import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * What an image of a CD says of itself: the first volume descriptor of ISO 9660 (ECMA-119, section
 * 8), or that of UDF (ECMA-167, part 2, section 9).
 *
 * @param begin the bytes that were read to know it
 * @param least bytes that the image has; 0 where it does not say
 */
record IsoHeader(byte[] begin, long least) {
  private static final int DESCRIPTOR = 16 * 2048;
  private static final int IDENTIFIER = 1;
  private static final int IDENTIFIER_BYTES = 5;
  private static final int BLOCKS = 80;
  private static final int BLOCK_SIZE = 128;
  private static final int END = DESCRIPTOR + 2048;
  private static final String ISO = "CD001";
  private static final String UDF = "BEA01";

  /**
   * Reads it.
   *
   * @throws StapesException INVALID where there is none
   */
  static IsoHeader read(String subject, InputStream in) throws IOException {
    byte[] begin = in.readNBytes(END);
    String identifier =
        begin.length < END
            ? ""
            : new String(
                begin, DESCRIPTOR + IDENTIFIER, IDENTIFIER_BYTES, StandardCharsets.ISO_8859_1);
    if (identifier.equals(UDF)) {
      return new IsoHeader(begin, 0);
    }
    if (!identifier.equals(ISO)) {
      throw StapesException.invalid(subject, "what is imported is no ISO 9660 image, nor UDF");
    }
    ByteBuffer descriptor = ByteBuffer.wrap(begin).order(ByteOrder.LITTLE_ENDIAN);
    long blocks = Integer.toUnsignedLong(descriptor.getInt(DESCRIPTOR + BLOCKS));
    return new IsoHeader(
        begin, blocks * Short.toUnsignedInt(descriptor.getShort(DESCRIPTOR + BLOCK_SIZE)));
  }

  /** All of the image, from its first byte on. */
  InputStream whole(InputStream rest) {
    return new SequenceInputStream(new ByteArrayInputStream(begin), rest);
  }

  /**
   * Fails where an image has fewer bytes than it says.
   *
   * @throws StapesException INVALID
   */
  void requireWhole(String subject, long bytes) {
    if (bytes < least) {
      throw StapesException.invalid(
          subject,
          "the image was cut: it has "
              + Size.ofBytes(bytes)
              + " of at least "
              + Size.ofBytes(least));
    }
  }
}
