package dev.stapes.internal.image;

import dev.stapes.model.Size;

/**
 * How much an archive of unknown origin may ask for. What exceeds a limit is refused with the limit
 * in the message.
 *
 * @param entries in the archive
 * @param depth of directories below the root
 * @param pathBytes of a name with its directories, in UTF-8 (PATH_MAX)
 * @param unpacked size of all files together, holes included
 * @param headerBytes of one entry's extended headers, attributes included
 * @param attributeBytes of one extended attribute (XATTR_SIZE_MAX)
 * @param sparseSegments of one sparse file
 * @param ratio of decoded to compressed bytes, looked at beyond {@link #RATIO_FREE}
 */
public record ArchiveLimits(
    long entries,
    int depth,
    int pathBytes,
    Size unpacked,
    int headerBytes,
    int attributeBytes,
    int sparseSegments,
    int ratio) {
  /** Of a name without its directories (NAME_MAX). */
  static final int NAME_BYTES = 255;

  /** So much may come out of an archive whatever its size: empty disks compress well. */
  static final long RATIO_FREE = Size.ofMebibytes(256).bytes();

  /** Far beyond any image that was meant to be one. */
  public static final ArchiveLimits USUAL =
      new ArchiveLimits(
          4_000_000, 256, 4_095, Size.ofGibibytes(256), 1 << 20, 1 << 16, 1 << 16, 1_000);

  ArchiveLimits entries(long count) {
    return new ArchiveLimits(
        count, depth, pathBytes, unpacked, headerBytes, attributeBytes, sparseSegments, ratio);
  }

  ArchiveLimits unpacked(Size size) {
    return new ArchiveLimits(
        entries, depth, pathBytes, size, headerBytes, attributeBytes, sparseSegments, ratio);
  }
}
