package dev.stapes.storage.lvm;

import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What a stream says of its volume before the data.
 *
 * @param content names what is in the volume: of two with one name all blocks are the same
 * @param base the content that the stream says the difference to; empty: to zeros
 * @param format of its file system; empty: it is a block device
 * @param size in bytes
 */
record StreamHeader(
    String content, Optional<String> base, Optional<VolumeFormat> format, long size) {
  /** A name of a logical volume of this driver: no two are alike. */
  private static final Pattern CONTENT = Pattern.compile("v[0-9a-f]{32}");

  private static final long SECTOR = 512;

  /** In place of the name of a file system. */
  private static final String BLOCK = "block";

  /** The largest that a thin volume can be in 32 bits of extents of 4 MiB; see lvcreate(8). */
  static final long MOST = 1L << 54;

  /** The name of the file system, or what stands in its place. */
  String type() {
    return format.map(VolumeFormat::type).orElse(BLOCK);
  }

  /** Whether that is one: of a file system, or what stands in its place. */
  static boolean isType(String type) {
    return type.equals(BLOCK) || VolumeFormat.of(type).isPresent();
  }

  /** Says what is wrong with it; empty: nothing. */
  Optional<String> problem() {
    if (!CONTENT.matcher(content).matches()) {
      return Optional.of("it names no content: \"" + content + "\"");
    }
    if (base.isPresent() && !CONTENT.matcher(base.get()).matches()) {
      return Optional.of("it names no base: \"" + base.get() + "\"");
    }
    if (size <= 0 || size > MOST || size % SECTOR != 0) {
      return Optional.of("no size of a volume: " + size);
    }
    return Optional.empty();
  }
}
