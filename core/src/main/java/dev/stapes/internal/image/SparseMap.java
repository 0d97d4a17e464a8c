package dev.stapes.internal.image;

import dev.stapes.model.StapesException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Where the data of a sparse file belongs. Four ways to say it are in use: the type flag S of old
 * GNU tar, and the formats 0.0, 0.1 and 1.0 of its extended headers.
 *
 * @param segments of data, in order, without overlap
 * @param size of the file with its holes
 */
record SparseMap(List<Segment> segments, long size) {
  private static final int OLD_FIRST = 386;
  private static final int OLD_FIRST_COUNT = 4;
  private static final int OLD_MORE_COUNT = 21;
  private static final int OLD_EXTENDED = 482;
  private static final int OLD_MORE_EXTENDED = 504;
  private static final int OLD_SIZE = 483;

  /** Data in the file. */
  record Segment(long offset, long length) {}

  SparseMap {
    segments = List.copyOf(segments);
    long end = 0;
    for (Segment segment : segments) {
      if (segment.offset < end
          || segment.length < 0
          || segment.offset > Long.MAX_VALUE - segment.length) {
        throw damaged();
      }
      end = segment.offset + segment.length;
    }
    if (end > size) {
      throw damaged();
    }
  }

  /** The data in all segments. */
  long stored() {
    return segments.stream().mapToLong(Segment::length).sum();
  }

  /** The form 1.0: decimal numbers on lines, padded to whole blocks. */
  byte[] front() {
    StringBuilder text = new StringBuilder().append(segments.size()).append('\n');
    for (Segment segment : segments) {
      text.append(segment.offset).append('\n').append(segment.length).append('\n');
    }
    byte[] lines = text.toString().getBytes(StandardCharsets.US_ASCII);
    int blocks = (lines.length + TarFormat.BLOCK - 1) / TarFormat.BLOCK;
    return Arrays.copyOf(lines, blocks * TarFormat.BLOCK);
  }

  /** Reads the map of an old GNU header, and of the blocks that follow it. */
  static SparseMap old(byte[] header, ArchiveInput in, ArchiveLimits limits) {
    List<Segment> segments = new ArrayList<>();
    collect(header, OLD_FIRST, OLD_FIRST_COUNT, segments);
    boolean more = header[OLD_EXTENDED] != 0;
    byte[] block = new byte[TarFormat.BLOCK];
    while (more) {
      if (!in.read(block)) {
        throw BadArchive.because("ends early, in a map of sparse data");
      }
      collect(block, 0, OLD_MORE_COUNT, segments);
      checkCount(segments.size(), limits);
      more = block[OLD_MORE_EXTENDED] != 0;
    }
    return new SparseMap(
        segments, TarFormat.number(header, OLD_SIZE, TarFormat.LONG, "sparse size"));
  }

  private static void collect(byte[] block, int first, int count, List<Segment> segments) {
    for (int i = 0; i < count; i++) {
      int at = first + i * 2 * TarFormat.LONG;
      if (block[at] == 0) {
        return;
      }
      segments.add(
          new Segment(
              TarFormat.number(block, at, TarFormat.LONG, "sparse offset"),
              TarFormat.number(block, at + TarFormat.LONG, TarFormat.LONG, "sparse length")));
    }
  }

  /** The map that extended headers of format 0.0 or 0.1 hold; empty where they hold none. */
  static Optional<SparseMap> of(PaxRecords pax, ArchiveLimits limits) {
    Optional<String> map = pax.text("GNU.sparse.map");
    if (map.isEmpty() && pax.sparsePairs().isEmpty()) {
      return Optional.empty();
    }
    List<String> numbers = map.isPresent() ? List.of(map.get().split(",", -1)) : pax.sparsePairs();
    return Optional.of(new SparseMap(pairs(numbers, limits), pax.number("GNU.sparse.size", -1)));
  }

  /** Whether the map is of format 1.0: in front of the data. */
  static boolean isInFront(PaxRecords pax) {
    return pax.number("GNU.sparse.major", 0) == 1 && pax.number("GNU.sparse.minor", 0) == 0;
  }

  /** Reads a map of format 1.0: decimal numbers on lines, padded to whole blocks. */
  static Front inFront(PaxRecords pax, ArchiveInput in, ArchiveLimits limits) {
    Lines lines = new Lines(in);
    long count = number(lines.next());
    checkCount(count, limits);
    List<String> numbers = new ArrayList<>();
    for (long i = 0; i < 2 * count; i++) {
      numbers.add(lines.next());
    }
    SparseMap map = new SparseMap(pairs(numbers, limits), pax.number("GNU.sparse.realsize", -1));
    return new Front(map, lines.blocks * TarFormat.BLOCK);
  }

  /** A map and the bytes that it took. */
  record Front(SparseMap map, long bytes) {}

  private static List<Segment> pairs(List<String> numbers, ArchiveLimits limits) {
    checkCount(numbers.size() / 2, limits);
    if (numbers.size() % 2 != 0) {
      throw damaged();
    }
    List<Segment> segments = new ArrayList<>();
    for (int i = 0; i < numbers.size(); i += 2) {
      segments.add(new Segment(number(numbers.get(i)), number(numbers.get(i + 1))));
    }
    return segments;
  }

  private static long number(String text) {
    try {
      return Long.parseUnsignedLong(text);
    } catch (NumberFormatException e) {
      throw BadArchive.because("a map of sparse data is no number: " + BadArchive.quote(text), e);
    }
  }

  private static void checkCount(long count, ArchiveLimits limits) {
    if (count < 0 || count > limits.sparseSegments()) {
      throw BadArchive.because(
          "a sparse file has more than the allowed " + limits.sparseSegments() + " segments");
    }
  }

  private static StapesException damaged() {
    return BadArchive.because("a map of sparse data is damaged");
  }

  private static final class Lines {
    private final ArchiveInput in;
    private final byte[] block = new byte[TarFormat.BLOCK];
    private int at = TarFormat.BLOCK;
    private long blocks;

    Lines(ArchiveInput in) {
      this.in = in;
    }

    String next() {
      StringBuilder line = new StringBuilder();
      while (true) {
        if (at == TarFormat.BLOCK) {
          if (!in.read(block)) {
            throw damaged();
          }
          at = 0;
          blocks++;
        }
        char c = (char) (block[at++] & 0xff);
        if (c == '\n') {
          return line.toString();
        }
        line.append(c);
        if (line.length() > 20) {
          throw damaged();
        }
      }
    }
  }
}
