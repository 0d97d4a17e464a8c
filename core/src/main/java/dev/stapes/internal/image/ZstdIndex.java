package dev.stapes.internal.image;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * Where the frames of a zstd file are, of which pzstd(1) and others make several: by the headers of
 * their blocks, without decoding any. RFC 8878, section 3.1.
 */
final class ZstdIndex {
  private static final int MAGIC = 0xfd2fb528;
  private static final int SKIPPED_MAGIC = 0x184d2a50;
  private static final int SKIPPED_MASK = 0xfffffff0;
  private static final int MAGIC_BYTES = Integer.BYTES;
  private static final int CHECKSUM = 4;
  private static final int BLOCK_HEADER = 3;
  private static final int LARGEST_BLOCK = 128 << 10;

  // Of files that are meant to be decoded by several threads; others are read from begin to end.
  private static final int MOST_FRAMES = 1 << 16;
  private static final int MOST_BLOCKS = 1 << 18;
  private static final long MOST_WINDOW = 16 << 20;

  private final RandomAccessFile file;
  private final long end;
  private long at;
  private int blocks;

  private ZstdIndex(RandomAccessFile file) throws IOException {
    this.file = file;
    this.end = file.length();
  }

  /** A frame. */
  record Frame(long position, long length, long size) implements ArchivePart {}

  /**
   * The frames, in order, without those that are to be skipped.
   *
   * @throws IOException where it is no whole zstd file, or has more of anything than is read here,
   *     or wants a dictionary
   */
  static List<Frame> read(RandomAccessFile file) throws IOException {
    ZstdIndex index = new ZstdIndex(file);
    List<Frame> frames = new ArrayList<>();
    while (index.at < index.end) {
      long begin = index.at;
      int magic = (int) index.number(MAGIC_BYTES);
      if ((magic & SKIPPED_MASK) == SKIPPED_MAGIC) {
        index.pass(index.number(Integer.BYTES));
      } else {
        require(magic == MAGIC && frames.size() < MOST_FRAMES);
        long size = index.frame();
        frames.add(new Frame(begin, index.at - begin, size));
      }
    }
    return frames;
  }

  /** Passes over what is behind the magic number of a frame; the size of what it holds. */
  private long frame() throws IOException {
    int descriptor = (int) number(1);
    boolean single = (descriptor & 0x20) != 0;
    require((descriptor & 0x0b) == 0); // nothing reserved, no dictionary
    long window = single ? 0 : window((int) number(1));
    int sizeFlag = descriptor >> 6;
    long said = -1;
    if (single || sizeFlag > 0) {
      said = number(1 << sizeFlag) + (sizeFlag == 1 ? 256 : 0);
      require(said >= 0);
    }
    window = single ? said : window;
    require(window <= MOST_WINDOW);
    long most = blocks(Math.min(window, LARGEST_BLOCK));
    if ((descriptor & 0x04) != 0) {
      pass(CHECKSUM);
    }
    return said >= 0 ? said : most;
  }

  private static long window(int descriptor) {
    long base = 1L << (10 + (descriptor >> 3));
    return base + base / 8 * (descriptor & 7);
  }

  /** Passes over the blocks of a frame; the most that they hold. */
  private long blocks(long largest) throws IOException {
    long most = 0;
    for (boolean last = false; !last; ) {
      require(++blocks <= MOST_BLOCKS);
      int header = (int) number(BLOCK_HEADER);
      last = (header & 1) != 0;
      int size = header >> 3;
      require(size <= LARGEST_BLOCK);
      switch ((header >> 1) & 3) {
        case 0 -> {
          pass(size);
          most += size;
        }
        case 1 -> {
          pass(1); // so many times
          most += size;
        }
        case 2 -> {
          pass(size);
          most += largest;
        }
        default -> require(false);
      }
    }
    return most;
  }

  private long number(int bytes) throws IOException {
    byte[] stored = new byte[Long.BYTES];
    require(bytes <= end - at);
    file.seek(at);
    file.readFully(stored, 0, bytes);
    at += bytes;
    return ByteBuffer.wrap(stored).order(ByteOrder.LITTLE_ENDIAN).getLong();
  }

  private void pass(long bytes) throws IOException {
    require(bytes <= end - at);
    at += bytes;
  }

  private static void require(boolean condition) throws IOException {
    if (!condition) {
      throw new IOException("no frames of zstd that can be told apart");
    }
  }
}
