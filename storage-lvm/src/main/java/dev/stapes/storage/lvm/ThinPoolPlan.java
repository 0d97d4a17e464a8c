package dev.stapes.storage.lvm;

import dev.stapes.model.Size;
import java.util.Optional;

/**
 * How a group's free space is divided. Metadata cannot shrink and a pool without any left stops, so
 * there is more of it than LVM would take, and room for it to grow; as much again is the spare that
 * a repair is written to.
 *
 * @param data of the thin pool, in bytes
 * @param metadata of it, in bytes
 * @param chunk what a volume takes at least, in bytes
 */
record ThinPoolPlan(long data, long metadata, long chunk) {
  private static final long MIB = 1L << 20;
  private static final long GIB = 1L << 30;

  /** The kernel's limit is a little below 16 GiB; see thin_metadata_size(8). */
  private static final long MOST_METADATA = 15L * GIB;

  private static final long LEAST_METADATA = 4 * MIB;

  /** Of a mapping of one chunk, in one volume. */
  private static final long BYTES_PER_CHUNK = 64;

  /** Chunks are expected to be mapped differently so many times, by volumes and snapshots. */
  private static final long TIMES = 4;

  /**
   * Divides.
   *
   * @param free bytes of the group
   * @param extent bytes of an extent of it
   * @param metadata as somebody asked for; empty: by the size
   */
  static Optional<ThinPoolPlan> of(long free, long extent, Optional<Size> metadata) {
    long chunk = chunk(free);
    long wanted = metadata.map(Size::bytes).orElse(free / chunk * BYTES_PER_CHUNK * TIMES);
    long bounded = Math.min(Math.max(wanted, LEAST_METADATA), MOST_METADATA);
    long rounded = up(bounded, extent);
    long data = (free - reserve(rounded) - 2 * rounded) / extent * extent;
    return data < extent ? Optional.empty() : Optional.of(new ThinPoolPlan(data, rounded, chunk));
  }

  /** What is left free for the metadata to grow. */
  static long reserve(long metadata) {
    return metadata;
  }

  /** Small chunks make small copies; with large ones there are fewer mappings of a large pool. */
  private static long chunk(long free) {
    long chunk = 64L << 10;
    while (free / chunk > 64 * MIB && chunk < GIB) {
      chunk *= 2;
    }
    return chunk;
  }

  /** The next multiple. */
  static long up(long bytes, long unit) {
    return (bytes + unit - 1) / unit * unit;
  }
}
