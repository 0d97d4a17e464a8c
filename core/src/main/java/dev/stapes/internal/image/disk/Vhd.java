package dev.stapes.internal.image.disk;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** The footer of a disk of Virtual PC, which one that is not fixed has at its begin, too. */
final class Vhd {
  private static final byte[] MAGIC = "conectix".getBytes(StandardCharsets.US_ASCII);
  private static final int FOOTER = 512;
  private static final int FIXED = 2;
  private static final int DYNAMIC = 3;

  private Vhd() {}

  static Optional<Disk> find(DiskBytes bytes) {
    boolean begins = bytes.has(0, MAGIC);
    boolean ends = bytes.has(bytes.size() - FOOTER, MAGIC);
    if (!begins && !ends) {
      return Optional.empty();
    }
    if (!ends) {
      throw bytes.wrong("ends early: the end of a vhd is missing");
    }
    ByteBuffer footer = bytes.at(begins ? 0 : bytes.size() - FOOTER, FOOTER);
    int type = footer.getInt(60);
    if (type != (begins ? DYNAMIC : FIXED)) {
      throw bytes.wrong("is no whole vhd: neither a fixed nor a dynamic one, but of type " + type);
    }
    long size = footer.getLong(48);
    if (!begins && size != bytes.size() - FOOTER) {
      throw bytes.wrong("holds " + (bytes.size() - FOOTER) + " bytes of a disk of " + size);
    }
    return Optional.of(new Disk(DiskFormat.VHD, size));
  }
}
