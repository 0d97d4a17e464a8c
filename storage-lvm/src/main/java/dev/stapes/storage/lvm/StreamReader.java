package dev.stapes.storage.lvm;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UTFDataFormatException;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.Optional;

/** Reads what {@link StreamWriter} writes, from whoever it comes: nothing in it is believed. */
final class StreamReader {
  private static final int DIGEST = 32;

  private final DataInputStream in;
  private final MessageDigest digest = Digests.sha256();

  StreamReader(InputStream from) {
    in = new DataInputStream(new DigestInputStream(from, digest));
  }

  /** Takes what is read. */
  interface Sink {
    /** What is at an offset. */
    void data(long offset, byte[] data, int count) throws IOException;

    /** There are zeros at an offset. */
    void zeros(long offset, long length) throws IOException;
  }

  /**
   * Reads the header.
   *
   * @throws BadStreamException where it is none
   */
  StreamHeader header() throws IOException {
    try {
      if (in.readLong() != StreamWriter.MAGIC) {
        throw new BadStreamException("it is no stream of an LVM pool");
      }
      int version = in.readInt();
      if (version != StreamWriter.VERSION) {
        throw new BadStreamException("its version is " + version);
      }
      String content = in.readUTF();
      String base = in.readUTF();
      String type = in.readUTF();
      if (!StreamHeader.isType(type)) {
        throw new BadStreamException("no file system: \"" + type + "\"");
      }
      Optional<String> of = base.isEmpty() ? Optional.empty() : Optional.of(base);
      StreamHeader header = new StreamHeader(content, of, VolumeFormat.of(type), in.readLong());
      if (in.readInt() != StreamWriter.checksum(header)) {
        throw new BadStreamException("the checksum of its header is wrong");
      }
      Optional<String> problem = header.problem();
      if (problem.isPresent()) {
        throw new BadStreamException(problem.get());
      }
      return header;
    } catch (EOFException e) {
      throw new BadStreamException("it ends in its header", e);
    } catch (UTFDataFormatException e) {
      throw new BadStreamException("its header is no text", e);
    }
  }

  /**
   * Reads the rest, up to its end and not beyond.
   *
   * @return the digest of all of it, which is right
   * @throws BadStreamException where it was cut or changed
   */
  byte[] pieces(StreamHeader header, Sink sink) throws IOException {
    long size = header.size();
    long end = 0;
    long pieces = 0;
    try {
      while (true) {
        int kind = in.readUnsignedByte();
        if (kind == StreamWriter.END) {
          return end(pieces);
        }
        long offset = in.readLong();
        long length = in.readLong();
        boolean sized = length > 0 && length <= StreamWriter.PIECE;
        if (offset < end || !sized || offset > size - length) {
          throw new BadStreamException("a piece of " + length + " bytes at " + offset);
        }
        if (kind == StreamWriter.ZEROS && header.base().isEmpty()) {
          throw new BadStreamException("zeros at " + offset + ", where nothing else can be");
        }
        piece(kind, offset, length, sink);
        end = offset + length;
        pieces++;
      }
    } catch (EOFException e) {
      throw new BadStreamException("it ends early, after " + pieces + " pieces", e);
    }
  }

  private void piece(int kind, long offset, long length, Sink sink) throws IOException {
    switch (kind) {
      case StreamWriter.DATA -> {
        byte[] data = new byte[(int) length];
        in.readFully(data);
        check(offset, length, data);
        sink.data(offset, data, data.length);
      }
      case StreamWriter.ZEROS -> {
        check(offset, length, new byte[0]);
        sink.zeros(offset, length);
      }
      default -> throw new BadStreamException("a piece of the unknown kind " + kind);
    }
  }

  private void check(long offset, long length, byte[] data) throws IOException {
    if (in.readInt() != StreamWriter.checksum(offset, length, data, data.length)) {
      throw new BadStreamException("a wrong checksum at " + offset);
    }
  }

  private byte[] end(long pieces) throws IOException {
    if (in.readLong() != pieces) {
      throw new BadStreamException("pieces are missing; there are " + pieces);
    }
    byte[] expected = digest.digest();
    byte[] found = new byte[DIGEST];
    in.readFully(found);
    if (!MessageDigest.isEqual(expected, found)) {
      throw new BadStreamException("its digest is wrong");
    }
    return expected;
  }
}
