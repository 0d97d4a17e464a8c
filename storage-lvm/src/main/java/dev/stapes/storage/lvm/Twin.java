package dev.stapes.storage.lvm;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Optional;

/**
 * A thin snapshot of a read-only volume as it was sent or received, which nobody mounts: the kernel
 * may write to a volume when it mounts it, and a difference is to what the other side has.
 *
 * @param name of the logical volume, in its group
 * @param owner the name of the volume's; without that it is trash
 * @param content names what is in it, here and where it was sent: of two with one name all blocks
 *     are the same
 * @param sum of what it was made of, where it was received
 */
record Twin(String name, String owner, String content, Optional<String> sum) {
  /** Of a volume that was neither sent nor received. */
  static Twin of(ThinVolume volume) {
    String name = LvmNames.freshVolume();
    return new Twin(name, volume.name(), name, Optional.empty());
  }

  /**
   * The sum of what is received. Two with one sum have the same blocks.
   *
   * @param digest of the stream
   * @param base what that is the difference to
   */
  static String sum(byte[] digest, Optional<Twin> base) {
    String own = HexFormat.of().formatHex(digest);
    if (base.isEmpty()) {
      return own;
    }
    String both = base.get().sum().orElse(base.get().content()) + " " + own;
    byte[] sum = Digests.sha256().digest(both.getBytes(StandardCharsets.US_ASCII));
    return HexFormat.of().formatHex(sum);
  }
}
