package dev.stapes.internal.image.disk;

import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What the file of a disk says of itself. The file is not trusted: what leads to other files, or
 * what nobody can read, is refused before any other program sees it. A file is of the format that
 * its content shows, and of no other; what shows none is raw.
 *
 * @param format how it holds the disk
 * @param size of the disk in bytes, as the format has it
 */
public record Disk(DiskFormat format, long size) {
  /** How much of a file {@link #ofStart} wants to see. */
  public static final int START = 512;

  /** The most that a disk may have. */
  static final long MOST = Size.ofGibibytes(16L << 10).bytes();

  /** A disk is a whole number of sectors. */
  private static final int SECTOR = 512;

  /**
   * Looks into a file.
   *
   * @param subject what errors are about
   * @throws StapesException INVALID for what is damaged, encrypted or only a part of a disk;
   *     UNSUPPORTED for what is another format
   */
  public static Disk read(Path file, String subject) {
    try (DiskBytes bytes = DiskBytes.open(file, subject)) {
      return checked(read(bytes), subject);
    }
  }

  /**
   * Looks at the begin of what comes bit by bit, which is qcow2 or raw.
   *
   * @param start its first {@link #START} bytes, or all
   * @param length of all
   */
  public static Disk ofStart(byte[] start, long length, String subject) {
    try (DiskBytes bytes = DiskBytes.of(start, subject)) {
      return checked(
          bytes.has(0, Qcow2.MAGIC) ? Qcow2.read(bytes) : new Disk(DiskFormat.RAW, length),
          subject);
    }
  }

  /** Whether a file shows a format: all but raw ones do. */
  public static boolean hasFormat(Path file, String subject) {
    try (DiskBytes bytes = DiskBytes.open(file, subject)) {
      return read(bytes).format() != DiskFormat.RAW;
    }
  }

  /** Whether a first sector is one of a disk that is booted from. */
  public static boolean isBootable(byte[] sector) {
    return sector.length >= SECTOR
        && sector[SECTOR - 2] == 0x55
        && sector[SECTOR - 1] == (byte) 0xaa;
  }

  private static Disk read(DiskBytes bytes) {
    if (bytes.has(0, Qcow2.MAGIC)) {
      return Qcow2.read(bytes);
    }
    if (bytes.has(0, Vmdk.MAGIC)) {
      return Vmdk.read(bytes);
    }
    if (bytes.has(0, Vhdx.MAGIC)) {
      return Vhdx.read(bytes);
    }
    if (bytes.has(Vdi.MAGIC_AT, Vdi.MAGIC)) {
      return Vdi.read(bytes);
    }
    Optional<Disk> vhd = Vhd.find(bytes);
    if (vhd.isPresent()) {
      return vhd.get();
    }
    requireNoOther(bytes);
    return new Disk(DiskFormat.RAW, bytes.size());
  }

  /** Refuses what would be taken for a raw disk by mistake. */
  private static void requireNoOther(DiskBytes bytes) {
    String other = "";
    if (bytes.has(0, new byte[] {'C', 'O', 'W', 'D'})) {
      other = "an extent of a disk of ESX";
    } else if (bytes.has(0, Vmdk.DESCRIPTOR)) {
      other = "the description of a vmdk in other files";
    } else if (bytes.has(0, new byte[] {'Q', 'E', 'D', 0})) {
      other = "a disk in the format qed";
    } else if (bytes.has(0, new byte[] {'L', 'U', 'K', 'S', (byte) 0xba, (byte) 0xbe})) {
      other = "an encrypted disk (LUKS)";
    }
    if (!other.isEmpty()) {
      throw new StapesException(
          StapesException.Kind.UNSUPPORTED, bytes.subject(), "is " + other + ", and no whole disk");
    }
  }

  private static Disk checked(Disk disk, String subject) {
    if (disk.size() <= 0) {
      throw StapesException.invalid(subject, "holds a disk of no size");
    }
    if (disk.size() > MOST) {
      throw StapesException.invalid(
          subject, "holds a disk of " + disk.size() + " bytes, more than the allowed " + MOST);
    }
    if (disk.size() % SECTOR != 0) {
      throw StapesException.invalid(
          subject, "holds a disk of " + disk.size() + " bytes, which are no whole sectors");
    }
    return disk;
  }
}
