package dev.stapes.internal.image;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.util.ArrayList;
import java.util.List;

/**
 * Where the members of a gzip file are, as bgzip(1) makes it: each says in its header how long it
 * is. SAM specification, section 4.1; RFC 1952.
 */
final class BgzfIndex {
  private static final int HEADER = 18;
  private static final int LARGEST = 64 << 10;

  /** So many are a part, which is 1 MiB. */
  private static final int TOGETHER = 16;

  private static final int MOST_PARTS = 1 << 16;

  private BgzfIndex() {}

  /** Some members. */
  record Members(long position, long length, long size) implements ArchivePart {}

  /**
   * The members, in order.
   *
   * @throws IOException where it is no such file, or has more of them than is read here
   */
  static List<Members> read(RandomAccessFile file) throws IOException {
    List<Members> parts = new ArrayList<>();
    long end = file.length();
    long begin = 0;
    int members = 0;
    for (long at = 0; at < end; ) {
      require(HEADER <= end - at && parts.size() < MOST_PARTS);
      byte[] header = new byte[HEADER];
      file.seek(at);
      file.readFully(header);
      long length = length(header);
      require(length > HEADER && length <= end - at);
      at += length;
      members++;
      if (members == TOGETHER || at == end) {
        parts.add(new Members(begin, at - begin, (long) members * LARGEST));
        begin = at;
        members = 0;
      }
    }
    return parts;
  }

  /** With one extra field, that of the format. */
  private static long length(byte[] header) throws IOException {
    int[] expected = {0x1f, 0x8b, 8, 4, -1, -1, -1, -1, -1, -1, 6, 0, 'B', 'C', 2, 0};
    for (int i = 0; i < expected.length; i++) {
      require(expected[i] < 0 || (header[i] & 0xff) == expected[i]);
    }
    return ((header[16] & 0xff) | ((header[17] & 0xff) << 8)) + 1L;
  }

  private static void require(boolean condition) throws IOException {
    if (!condition) {
      throw new IOException("no members of gzip that say how long they are");
    }
  }
}
