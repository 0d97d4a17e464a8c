package dev.stapes.internal.image;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Finds the runs of zeros of a file that are worth to be left out of an archive. By its content,
 * not by what the file system says of its holes: that differs from one to another, and an archive
 * of equal files is to be the same.
 */
final class Holes {
  /** Shorter runs of zeros are data. */
  static final int SHORTEST = 64 << 10;

  /** Runs begin and end at multiples of it, as blocks of file systems do. */
  private static final int STEP = 4 << 10;

  private static final int CHUNK = 256 << 10;

  /** A file of more pieces is stored as it is; readers have limits, too. */
  private static final int MOST = 10_000;

  private static final byte[] ZEROS = new byte[STEP];

  private final List<SparseMap.Segment> segments = new ArrayList<>();
  private long dataFrom;
  private long zerosFrom = -1;
  private long position;

  private Holes() {}

  /** The data of a file that has holes; empty where it has none, or too many. */
  static Optional<SparseMap> find(InputStream content) throws IOException {
    Holes holes = new Holes();
    byte[] chunk = new byte[CHUNK];
    for (int count = content.readNBytes(chunk, 0, CHUNK);
        count > 0 && holes.segments.size() < MOST;
        count = content.readNBytes(chunk, 0, CHUNK)) {
      for (int at = 0; at < count; at += STEP) {
        holes.step(chunk, at, Math.min(STEP, count - at));
      }
    }
    return holes.map();
  }

  private void step(byte[] chunk, int at, int length) {
    boolean zeros = Arrays.equals(chunk, at, at + length, ZEROS, 0, length);
    if (zeros && zerosFrom < 0) {
      zerosFrom = position;
    } else if (!zeros && zerosFrom >= 0) {
      endZeros();
    }
    position += length;
  }

  private void endZeros() {
    if (position - zerosFrom >= SHORTEST) {
      if (zerosFrom > dataFrom) {
        segments.add(new SparseMap.Segment(dataFrom, zerosFrom - dataFrom));
      }
      dataFrom = position;
    }
    zerosFrom = -1;
  }

  private Optional<SparseMap> map() {
    if (segments.size() >= MOST) {
      return Optional.empty();
    }
    if (zerosFrom >= 0) {
      endZeros();
    }
    if (dataFrom == 0 && segments.isEmpty()) {
      return Optional.empty();
    }
    // As GNU tar has it: where the file ends in a hole the last piece is an empty one.
    segments.add(new SparseMap.Segment(dataFrom, position - dataFrom));
    return Optional.of(new SparseMap(segments, position));
  }
}
