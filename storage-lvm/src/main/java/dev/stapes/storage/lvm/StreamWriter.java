package dev.stapes.storage.lvm;

import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.zip.CRC32C;
import java.util.zip.Checksum;

/**
 * Writes a volume as a stream: a header, then data and holes by their offsets in rising order, each
 * with a checksum, then how many there were and a digest of it all.
 */
final class StreamWriter {
  /** "STAPESLV" and the version of the form. */
  static final long MAGIC = 0x5354_4150_4553_4c56L;

  static final int VERSION = 1;
  static final int DATA = 1;
  static final int ZEROS = 2;
  static final int END = 3;

  /** The most that one piece has, also of zeros: who sends many has as much to do as we have. */
  static final int PIECE = 64 << 10;

  private final DataOutputStream out;
  private final MessageDigest digest = Digests.sha256();
  private long pieces;

  /** Writes the header. */
  StreamWriter(OutputStream to, StreamHeader header) throws IOException {
    DigestOutputStream digested = new DigestOutputStream(to, digest);
    out = new DataOutputStream(digested);
    out.writeLong(MAGIC);
    out.writeInt(VERSION);
    out.writeUTF(header.content());
    out.writeUTF(header.base().orElse(""));
    out.writeUTF(header.type());
    out.writeLong(header.size());
    out.writeInt(checksum(header));
  }

  /** Of the header's parts. */
  static int checksum(StreamHeader header) {
    String all =
        header.content()
            + "\n"
            + header.base().orElse("")
            + "\n"
            + header.type()
            + "\n"
            + header.size();
    CRC32C sum = new CRC32C();
    sum.update(all.getBytes(StandardCharsets.UTF_8));
    return (int) sum.getValue();
  }

  /** Of a piece. */
  static int checksum(long offset, long length, byte[] data, int count) {
    ByteBuffer where = ByteBuffer.allocate(16).putLong(offset).putLong(length).flip();
    Checksum sum = new CRC32C();
    sum.update(where);
    sum.update(data, 0, count);
    return (int) sum.getValue();
  }

  /** What is at an offset. */
  void data(long offset, byte[] data, int count) throws IOException {
    begin(DATA, offset, count);
    out.write(data, 0, count);
    out.writeInt(checksum(offset, count, data, count));
  }

  /** There are zeros at an offset; only a difference says so. */
  void zeros(long offset, long length) throws IOException {
    begin(ZEROS, offset, length);
    out.writeInt(checksum(offset, length, new byte[0], 0));
  }

  private void begin(int kind, long offset, long length) throws IOException {
    out.writeByte(kind);
    out.writeLong(offset);
    out.writeLong(length);
    pieces++;
  }

  /** Ends it; the stream below stays open. */
  void end() throws IOException {
    out.writeByte(END);
    out.writeLong(pieces);
    out.write(digest.digest());
    out.flush();
  }
}
