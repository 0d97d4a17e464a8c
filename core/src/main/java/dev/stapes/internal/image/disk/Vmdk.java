package dev.stapes.internal.image.disk;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;

/** The header of a sparse extent of VMware with the description of the disk in it. */
final class Vmdk {
  static final byte[] MAGIC = {'K', 'D', 'M', 'V'};

  /** Of a file that only says in which other files the disk is. */
  static final byte[] DESCRIPTOR = "# Disk DescriptorFile".getBytes(StandardCharsets.US_ASCII);

  private static final int HEADER = 79;
  private static final int SECTOR = 512;
  private static final int MOST_SECTORS = 2_048;
  private static final List<String> WHOLE = List.of("monolithicsparse", "streamoptimized");

  /** Where QEMU looks for a parent, whatever the header says (vmdk_parent_open). */
  private static final int PARENT_AT = 0x200;

  private static final int PARENT_LENGTH = 20 * SECTOR;

  private Vmdk() {}

  static Disk read(DiskBytes bytes) {
    ByteBuffer header = bytes.at(0, HEADER).order(ByteOrder.LITTLE_ENDIAN);
    long sectors = header.getLong(12);
    if (sectors <= 0 || sectors > Disk.MOST / SECTOR) {
      // QEMU takes the description for all of a disk without sectors, and opens what it names.
      throw bytes.wrong("holds a disk of " + sectors + " sectors");
    }
    long at = header.getLong(28);
    long length = header.getLong(36);
    if (at <= 0 || length <= 0 || length > MOST_SECTORS || at > bytes.size() / SECTOR) {
      throw bytes.wrong("has no description in it: it is only a part of a disk");
    }
    requireWhole(text(bytes, at * SECTOR, (int) length * SECTOR), bytes);
    int seen = (int) Math.min(PARENT_LENGTH, bytes.size() - PARENT_AT);
    if (seen > 0 && text(bytes, PARENT_AT, seen).contains("parentfilenamehint")) {
      throw bytes.wrong("has a parent: it is only a part of a disk");
    }
    return new Disk(DiskFormat.VMDK, sectors * SECTOR);
  }

  private static String text(DiskBytes bytes, long offset, int length) {
    byte[] text = new byte[length];
    bytes.at(offset, length).get(text);
    return new String(text, StandardCharsets.ISO_8859_1).toLowerCase(Locale.ROOT);
  }

  private static void requireWhole(String description, DiskBytes bytes) {
    int extents = 0;
    String type = "";
    for (String each : description.split("[\\n\\r\\x00]", -1)) {
      String line = each.strip();
      String[] words = line.split("\\s+", -1);
      if (List.of("rw", "rdonly", "noaccess").contains(words[0])) {
        extents++;
        if (words.length < 3 || !words[2].equals("sparse")) {
          throw bytes.wrong("has data in other files: it is only a part of a disk");
        }
      } else if (line.startsWith("createtype")) {
        type = value(line);
      } else if (line.startsWith("parentfilenamehint")
          || (line.startsWith("parentcid") && !value(line).equals("ffffffff"))) {
        throw bytes.wrong("has a parent: it is only a part of a disk");
      } else if (line.startsWith("encryption.")) {
        throw bytes.wrong("is encrypted");
      }
    }
    if (!WHOLE.contains(type)) {
      throw bytes.wrong(
          "is a vmdk of another type than monolithicSparse and streamOptimized, which are one"
              + " file");
    }
    if (extents != 1) {
      throw bytes.wrong("has " + extents + " extents: it is only a part of a disk");
    }
  }

  private static String value(String line) {
    return line.substring(line.indexOf('=') + 1).strip().replace("\"", "");
  }
}
