package dev.stapes.internal.image;

import dev.stapes.model.StapesException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The blocks of a squashfs file system. Blocks of files may be read by several threads, metadata by
 * one. An interrupt ends it for all.
 */
final class SquashFile implements AutoCloseable {
  private static final int METADATA = 8192;
  private static final int METADATA_HEADER = Short.BYTES;
  private static final int METADATA_PLAIN = 0x8000;
  private static final int PLAIN = 1 << 24;
  private static final int REMEMBERED = 128;
  private static final long KEPT = 8L << 20;

  private final FileChannel channel;
  private final long size;
  private final SquashSuperblock superblock;
  private final SquashDecoder decoder;
  private final Blocks blocks;
  private final Map<Long, Metadata> remembered =
      new LinkedHashMap<>(REMEMBERED, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Long, Metadata> eldest) {
          return size() > REMEMBERED;
        }
      };

  private SquashFile(FileChannel channel, Decoders decoders) throws IOException {
    this.channel = channel;
    this.size = channel.size();
    this.superblock = SquashSuperblock.read(read(0, SquashSuperblock.LENGTH));
    this.decoder = new SquashDecoder(superblock.compressor(), decoders);
    this.blocks =
        new Blocks(superblock.blockSize(), (int) Math.max(1, KEPT / superblock.blockSize()));
  }

  /**
   * A decoded block of metadata.
   *
   * @param next where the one behind it is
   */
  record Metadata(byte[] data, long next) {}

  /** Opens a file. */
  static SquashFile open(Path path, Decoders decoders) {
    try {
      FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
      try {
        return new SquashFile(channel, decoders);
      } catch (Throwable e) {
        channel.close();
        throw e;
      }
    } catch (NoSuchFileException e) {
      throw new StapesException(
          StapesException.Kind.NOT_FOUND, BadArchive.SUBJECT, "no such file: " + path, e);
    } catch (IOException e) {
      throw failed(e);
    }
  }

  SquashSuperblock superblock() {
    return superblock;
  }

  /** For blocks of content. */
  Blocks blocks() {
    return blocks;
  }

  /** Of the file. */
  long size() {
    return size;
  }

  /** Reads from a place. */
  byte[] read(long position, int length) {
    byte[] bytes = new byte[length];
    read(position, bytes, length);
    return bytes;
  }

  private void read(long position, byte[] into, int length) {
    if (position < 0 || position > size - length) {
      throw BadArchive.because("ends early, or refers to what is behind its end");
    }
    ByteBuffer bytes = ByteBuffer.wrap(into, 0, length);
    try {
      while (bytes.hasRemaining()) {
        if (channel.read(bytes, position + bytes.position()) < 0) {
          throw BadArchive.because("ends early");
        }
      }
    } catch (IOException e) {
      throw failed(e);
    }
  }

  /** The block of metadata at a place. */
  Metadata metadata(long position) {
    Metadata known = remembered.get(position);
    if (known == null) {
      known = readMetadata(position);
      remembered.put(position, known);
    }
    return known;
  }

  private Metadata readMetadata(long position) {
    int field = SquashCursor.littleEndian(read(position, METADATA_HEADER)).getShort() & 0xffff;
    int length = field & (METADATA_PLAIN - 1);
    if (length == 0 || length > METADATA) {
      throw BadArchive.because("has metadata of an impossible size: " + length);
    }
    long start = position + METADATA_HEADER;
    byte[] stored = read(start, length);
    if ((field & METADATA_PLAIN) != 0) {
      return new Metadata(stored, start + length);
    }
    byte[] decoded = new byte[METADATA];
    int count = decoder.decode(stored, length, decoded, METADATA);
    return new Metadata(Arrays.copyOf(decoded, count), start + length);
  }

  /**
   * Reads a block of file content.
   *
   * @param field its size as the file system has it, with the mark of one that is not compressed
   * @param into takes it, at least as long as blocks are
   * @param most bytes that it may have
   * @return how many it has
   */
  int data(long position, long field, byte[] into, int most) {
    int length = stored(field);
    if (length == 0 || length > superblock.blockSize()) {
      throw BadArchive.because("has a block of an impossible size: " + length);
    }
    if ((field & PLAIN) == 0) {
      Blocks.Block stored = blocks.take();
      try {
        read(position, stored.bytes(), length);
        return decoder.decode(stored.bytes(), length, into, most);
      } finally {
        stored.release();
      }
    }
    if (length > most) {
      throw BadArchive.because("has a block that is too long");
    }
    read(position, into, length);
    return length;
  }

  /** Bytes that a block takes in the file; 0: a hole. */
  static int stored(long field) {
    return (int) field & (PLAIN - 1);
  }

  private static StapesException failed(IOException e) {
    if (e instanceof ClosedChannelException) {
      return new StapesException(
          StapesException.Kind.INTERRUPTED, BadArchive.SUBJECT, "reading was interrupted", e);
    }
    return DiskError.of(BadArchive.SUBJECT, "cannot be read", e);
  }

  @Override
  public void close() {
    try (decoder) {
      channel.close();
    } catch (IOException e) {
      throw failed(e);
    }
  }
}
