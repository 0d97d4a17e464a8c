package dev.stapes.linux.btrfs;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * Reads the commands of a send stream of version 1; see {@code fs/btrfs/send.h} of the kernel. The
 * checksum of each command is checked before anybody sees it.
 */
final class StreamReader {
  private static final byte[] MAGIC = "btrfs-stream\0".getBytes(StandardCharsets.US_ASCII);
  private static final int VERSION = 1;
  private static final int HEADER = 10;
  private static final int CRC_AT = 6;

  /** The kernel writes 64 KiB at most. */
  private static final int LONGEST = 1 << 20;

  private final InputStream in;

  StreamReader(InputStream in) {
    this.in = in;
  }

  /** Reads what a stream begins with. */
  void begin() {
    byte[] magic = read(MAGIC.length, "its beginning");
    if (!Arrays.equals(magic, MAGIC)) {
      throw new BadStreamException("it does not begin as a send stream of Btrfs does");
    }
    int version = little(read(Integer.BYTES, "its version")).getInt(0);
    if (version != VERSION) {
      throw new BadStreamException("its version is " + version + ", only 1 is known");
    }
  }

  /** Reads the next command. */
  StreamCommand next() {
    byte[] bytes = read(HEADER, "a command");
    ByteBuffer header = little(bytes);
    int length = header.getInt(0);
    int crc = header.getInt(CRC_AT);
    if (length < 0 || length > LONGEST) {
      throw new BadStreamException("a command of " + length + " bytes");
    }
    byte[] attributes = read(length, "a command");
    header.putInt(CRC_AT, 0);
    if (crc(bytes, attributes) != crc) {
      throw new BadStreamException("a command has a wrong checksum: the stream is damaged");
    }
    return StreamCommand.of(header.getShort(Integer.BYTES) & 0xFFFF, little(attributes));
  }

  /**
   * CRC-32C with neither first nor last inversion. Java's has both; four bytes of ones bring its
   * register to zero, and the last inversion is undone.
   */
  private static int crc(byte[] header, byte[] attributes) {
    CRC32C crc = new CRC32C();
    crc.update(new byte[] {-1, -1, -1, -1});
    crc.update(header);
    crc.update(attributes);
    return ~(int) crc.getValue();
  }

  private byte[] read(int length, String what) {
    try {
      byte[] bytes = in.readNBytes(length);
      if (bytes.length < length) {
        throw new BadStreamException(
            "it ends in " + what, new EOFException(bytes.length + " of " + length + " bytes"));
      }
      return bytes;
    } catch (IOException e) {
      throw new UncheckedIOException("send stream: cannot be read: " + e.getMessage(), e);
    }
  }

  private static ByteBuffer little(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
