package dev.stapes.internal.image;

import dev.stapes.model.StapesException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
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

  private final FileChannel channel;
  private final long size;
  private final SquashSuperblock superblock;
  private final Map<Long, Metadata> remembered =
      new LinkedHashMap<>(REMEMBERED, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Long, Metadata> eldest) {
          return size() > REMEMBERED;
        }
      };

  private SquashFile(FileChannel channel) throws IOException {
    this.channel = channel;
    this.size = channel.size();
    this.superblock = SquashSuperblock.read(read(0, SquashSuperblock.LENGTH));
  }

  /**
   * A decoded block of metadata.
   *
   * @param next where the one behind it is
   */
  record Metadata(byte[] data, long next) {}

  /** Opens a file. */
  static SquashFile open(Path path) {
    try {
      FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
      try {
        return new SquashFile(channel);
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

  /** Of the file. */
  long size() {
    return size;
  }

  /** Reads from a place. */
  byte[] read(long position, int length) {
    if (position < 0 || position > size - length) {
      throw BadArchive.because("ends early, or refers to what is behind its end");
    }
    ByteBuffer bytes = ByteBuffer.allocate(length);
    try {
      while (bytes.hasRemaining()) {
        if (channel.read(bytes, position + bytes.position()) < 0) {
          throw BadArchive.because("ends early");
        }
      }
      return bytes.array();
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
    boolean plain = (field & METADATA_PLAIN) != 0;
    return new Metadata(
        plain ? stored : superblock.compressor().decode(stored, METADATA), start + length);
  }

  /**
   * A block of file content.
   *
   * @param field its size as the file system has it, with the mark of one that is not compressed
   * @param most bytes that it may have
   */
  byte[] data(long position, long field, int most) {
    int length = stored(field);
    if (length == 0 || length > superblock.blockSize()) {
      throw BadArchive.because("has a block of an impossible size: " + length);
    }
    byte[] stored = read(position, length);
    if ((field & PLAIN) == 0) {
      return superblock.compressor().decode(stored, most);
    }
    if (length > most) {
      throw BadArchive.because("has a block that is too long");
    }
    return stored;
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
    try {
      channel.close();
    } catch (IOException e) {
      throw failed(e);
    }
  }
}
