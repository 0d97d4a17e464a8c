package dev.stapes.internal.image;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/** What the inodes of a squashfs file system refer to: owners, ends of files, attributes. */
final class SquashTables {
  private static final int METADATA = 8192;
  private static final int FRAGMENT = 16;
  private static final int ATTRIBUTES = 16;
  private static final long NOT_READ = -1;
  private static final int ELSEWHERE = 0x100;
  private static final String[] PREFIXES = {"user.", "trusted.", "security."};

  private final SquashFile file;
  private final SquashSuperblock superblock;
  private final ArchiveLimits limits;
  private final long[] ids;
  private final long xattrStart;
  private final long xattrCount;

  SquashTables(SquashFile file, ArchiveLimits limits) {
    this.file = file;
    this.superblock = file.superblock();
    this.limits = limits;
    this.ids = new long[superblock.ids()];
    Arrays.fill(ids, NOT_READ);
    if (superblock.xattrTable() == SquashSuperblock.NONE) {
      xattrStart = 0;
      xattrCount = 0;
    } else {
      ByteBuffer table =
          SquashCursor.littleEndian(file.read(superblock.xattrTable(), Long.BYTES + Integer.BYTES));
      xattrStart = table.getLong();
      xattrCount = Integer.toUnsignedLong(table.getInt());
    }
  }

  /**
   * Where the end of files is.
   *
   * @param position of the block
   * @param field its size as the file system has it
   */
  record Fragment(long position, long field) {}

  /** The uid or gid of an index. */
  long id(int index) {
    if (index >= superblock.ids()) {
      throw BadArchive.because("has an owner that is not in its table");
    }
    if (ids[index] == NOT_READ) {
      ids[index] = entry(superblock.idTable(), index, Integer.BYTES).u32();
    }
    return ids[index];
  }

  /** The fragment of an index. */
  Fragment fragment(long index) {
    if (index >= superblock.fragments() || superblock.fragmentTable() == SquashSuperblock.NONE) {
      throw BadArchive.because("has a file that ends in no fragment");
    }
    SquashCursor in = entry(superblock.fragmentTable(), index, FRAGMENT);
    return new Fragment(in.u64(), in.u32());
  }

  /** Extended attributes by full name; what has no name here is left out. */
  SortedMap<String, byte[]> xattrs(long index) {
    if (index == SquashInode.NO_XATTRS) {
      return Collections.emptySortedMap();
    }
    if (index >= xattrCount) {
      throw BadArchive.because("has attributes that are not in its table");
    }
    int header = 2 * Long.BYTES;
    SquashCursor in = entry(superblock.xattrTable() + header, index, ATTRIBUTES);
    long reference = in.u64();
    long count = in.u32();
    SquashCursor pairs = SquashCursor.at(file, xattrStart, reference);
    TreeMap<String, byte[]> attributes = new TreeMap<>();
    long bytes = 0;
    if (count > limits.headerBytes() / ATTRIBUTES) {
      throw BadArchive.because("has an inode with too many attributes: " + count);
    }
    for (long i = 0; i < count; i++) {
      int type = pairs.u16();
      String name = TarFormat.text(pairs.bytes(pairs.u16()), "attribute");
      byte[] value = value(pairs, (type & ELSEWHERE) != 0);
      bytes += name.length() + value.length;
      if (bytes > limits.headerBytes()) {
        throw BadArchive.because(
            "has attributes of more than the allowed " + limits.headerBytes() + " bytes");
      }
      int prefix = type & ~ELSEWHERE;
      if (prefix < PREFIXES.length) {
        attributes.put(PREFIXES[prefix] + name, value);
      }
    }
    return attributes;
  }

  private byte[] value(SquashCursor in, boolean elsewhere) {
    int length = length(in);
    if (!elsewhere) {
      return in.bytes(length);
    }
    if (length != Long.BYTES) {
      throw BadArchive.because("has an attribute that refers to nothing");
    }
    SquashCursor there = SquashCursor.at(file, xattrStart, in.u64());
    return there.bytes(length(there));
  }

  private int length(SquashCursor in) {
    long length = in.u32();
    if (length > limits.attributeBytes()) {
      throw BadArchive.because(
          "has an attribute of more than the allowed " + limits.attributeBytes() + " bytes");
    }
    return (int) length;
  }

  /** Tables are blocks of metadata, whose places stand one after the other. */
  private SquashCursor entry(long table, long index, int length) {
    long offset = index * length;
    byte[] block = file.read(table + offset / METADATA * Long.BYTES, Long.BYTES);
    long position = SquashCursor.littleEndian(block).getLong();
    return new SquashCursor(file, position, (int) (offset % METADATA));
  }
}
