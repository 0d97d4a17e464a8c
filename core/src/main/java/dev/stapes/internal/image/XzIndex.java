package dev.stapes.internal.image;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.io.SequenceInputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.zip.CRC32;

/**
 * Where the blocks of an xz file are: read from the indexes at the ends of its streams. The .xz
 * File Format 1.1.0, sections 2 and 4.
 */
final class XzIndex {
  private static final byte[] HEADER_MAGIC = {(byte) 0xfd, '7', 'z', 'X', 'Z', 0};
  private static final byte[] FOOTER_MAGIC = {'Y', 'Z'};
  private static final int HEADER = 12;
  private static final int FOOTER = 12;
  private static final int FLAGS = 2;
  private static final int CRC = 4;
  private static final int UNIT = 4;
  private static final int LEAST_UNPADDED = 5;

  // Of files that are meant to be decoded at all; others are read from begin to end.
  private static final int MOST_STREAMS = 10_000;
  private static final int MOST_BLOCKS = 1 << 16;
  private static final int MOST_PADDING = 1 << 16;
  private static final long LARGEST = 20L * MOST_BLOCKS; // two numbers of 9 bytes each

  private final RandomAccessFile file;

  private XzIndex(RandomAccessFile file) {
    this.file = file;
  }

  /**
   * A block.
   *
   * @param position in the file
   * @param unpadded bytes of it there, without what fills the last unit
   * @param size of what it holds
   * @param check the kind of integrity check that it ends with
   * @param isFirst of its stream
   */
  record Block(long position, long unpadded, long size, byte check, boolean isFirst)
      implements ArchivePart {
    @Override
    public long length() {
      return padded(unpadded);
    }

    /** An xz file of its own, so that a decoder checks all that it checks of one. */
    @Override
    public InputStream alone(InputStream content) {
      ByteArrayOutputStream index = new ByteArrayOutputStream();
      index.write(0);
      number(1, index);
      number(unpadded, index);
      number(size, index);
      while (index.size() % UNIT != 0) {
        index.write(0);
      }
      byte[] flags = {0, check};
      ByteBuffer footer = little(ByteBuffer.allocate(UNIT + FLAGS));
      footer.putInt(index.size() / UNIT).put(flags);
      ByteBuffer head = little(ByteBuffer.allocate(HEADER));
      head.put(HEADER_MAGIC).put(flags).putInt(crc(flags));
      ByteBuffer tail = little(ByteBuffer.allocate(index.size() + CRC + FOOTER));
      tail.put(index.toByteArray()).putInt(crc(index.toByteArray()));
      tail.putInt(crc(footer.array())).put(footer.array()).put(FOOTER_MAGIC);
      return new SequenceInputStream(
          Collections.enumeration(
              List.of(
                  new ByteArrayInputStream(head.array()),
                  content,
                  new ByteArrayInputStream(tail.array()))));
    }

    private static void number(long value, ByteArrayOutputStream out) {
      long left = value;
      for (; left > 0x7f; left >>>= 7) {
        out.write((int) ((left & 0x7f) | 0x80));
      }
      out.write((int) left);
    }
  }

  /**
   * The blocks of all streams, in order.
   *
   * @throws IOException where it is no whole xz file, or has more of anything than is read here
   */
  static List<Block> read(RandomAccessFile file) throws IOException {
    Deque<List<Block>> streams = new ArrayDeque<>();
    XzIndex index = new XzIndex(file);
    int count = 0;
    for (long end = file.length(); end > 0; ) {
      Stream stream = index.streamBefore(index.withoutPadding(end), MOST_BLOCKS - count);
      streams.addFirst(stream.blocks());
      end = stream.start();
      count += stream.blocks().size();
      require(streams.size() <= MOST_STREAMS);
    }
    List<Block> all = new ArrayList<>(count);
    streams.forEach(all::addAll);
    return all;
  }

  private record Stream(long start, List<Block> blocks) {}

  private long withoutPadding(long from) throws IOException {
    long end = from;
    while (end > UNIT && Arrays.equals(bytes(end - UNIT, UNIT), new byte[UNIT])) {
      end -= UNIT;
      require(from - end <= MOST_PADDING);
    }
    return end;
  }

  private Stream streamBefore(long end, int most) throws IOException {
    byte[] footer = bytes(end - FOOTER, FOOTER);
    byte[] fields = Arrays.copyOfRange(footer, CRC, FOOTER - FOOTER_MAGIC.length);
    require(Arrays.equals(footer, CRC + fields.length, FOOTER, FOOTER_MAGIC, 0, 2));
    require(little(ByteBuffer.wrap(footer)).getInt() == crc(fields));
    long size = (Integer.toUnsignedLong(little(ByteBuffer.wrap(fields)).getInt()) + 1) * UNIT;
    byte[] flags = Arrays.copyOfRange(fields, UNIT, fields.length);
    require(flags[0] == 0 && size <= LARGEST);
    long indexAt = end - FOOTER - size;
    List<Block> relative = records(bytes(indexAt, (int) size), indexAt, flags[1], most);
    long length = relative.isEmpty() ? 0 : relative.get(relative.size() - 1).end();
    long start = indexAt - length;
    ByteBuffer header = little(ByteBuffer.allocate(HEADER));
    header.put(HEADER_MAGIC).put(flags).putInt(crc(flags));
    require(Arrays.equals(header.array(), bytes(start - HEADER, HEADER)));
    List<Block> blocks = new ArrayList<>(relative.size());
    for (Block block : relative) {
      blocks.add(
          new Block(
              start + block.position(),
              block.unpadded(),
              block.size(),
              block.check(),
              block.isFirst()));
    }
    return new Stream(start - HEADER, blocks);
  }

  /** The blocks, with positions from the first one on. */
  private static List<Block> records(byte[] stored, long room, byte check, int most)
      throws IOException {
    byte[] fields = Arrays.copyOf(stored, stored.length - CRC);
    require(little(ByteBuffer.wrap(stored)).getInt(fields.length) == crc(fields));
    ByteBuffer index = ByteBuffer.wrap(fields);
    require(index.hasRemaining() && index.get() == 0);
    long count = number(index);
    require(count <= most);
    List<Block> blocks = new ArrayList<>((int) count);
    long position = 0;
    for (long i = 0; i < count; i++) {
      long unpadded = number(index);
      require(unpadded >= LEAST_UNPADDED && unpadded <= room - position);
      blocks.add(new Block(position, unpadded, number(index), check, i == 0));
      position += padded(unpadded);
    }
    return blocks;
  }

  private static long number(ByteBuffer in) throws IOException {
    long value = 0;
    for (int shift = 0; shift < Long.SIZE - 1; shift += 7) {
      require(in.hasRemaining());
      byte next = in.get();
      value |= (next & 0x7fL) << shift;
      if (next >= 0) {
        return value;
      }
    }
    throw new IOException("no index of an xz file");
  }

  private static long padded(long length) {
    return (length + UNIT - 1) / UNIT * UNIT;
  }

  private byte[] bytes(long position, int length) throws IOException {
    require(position >= 0);
    byte[] bytes = new byte[length];
    file.seek(position);
    file.readFully(bytes);
    return bytes;
  }

  private static ByteBuffer little(ByteBuffer buffer) {
    return buffer.order(ByteOrder.LITTLE_ENDIAN);
  }

  private static int crc(byte[] bytes) {
    CRC32 crc = new CRC32();
    crc.update(bytes);
    return (int) crc.getValue();
  }

  private static void require(boolean condition) throws IOException {
    if (!condition) {
      throw new IOException("no index of an xz file");
    }
  }
}
