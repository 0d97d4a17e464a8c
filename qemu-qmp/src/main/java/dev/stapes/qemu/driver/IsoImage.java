package dev.stapes.qemu.driver;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * An image of a file system by ECMA-119 (ISO 9660) with names by Joliet, too: a few files in its
 * root directory. Of the same files it is the same bytes each time.
 */
final class IsoImage {
  private static final int SECTOR = 2048;

  /** The first of the descriptors; what is before them is left to systems that boot from it. */
  private static final int DESCRIPTORS = 16;

  /** Of each tree the table of paths in both byte orders; then the two directories. */
  private static final int TABLES = DESCRIPTORS + 3;

  private static final int DIRECTORIES = TABLES + 4;
  private static final int FILES = DIRECTORIES + 2;
  private static final int PRIMARY = 1;
  private static final int SUPPLEMENTARY = 2;
  private static final int TERMINATOR = 255;
  private static final int PATH_TABLE_SIZE = 10;
  private static final int RECORD = 33;
  private static final int DIRECTORY = 2;
  private static final int YEAR = 70;

  /** Sizes of the texts of a descriptor that name who made it, and files: nobody, and none. */
  private static final int[] TEXTS = {128, 128, 128, 128, 37, 37, 37};

  private static final int DATES = 4;
  private static final String NO_DATE = "0".repeat(16);

  private final String label;
  private final SortedMap<String, byte[]> files;
  private final ByteBuffer image;

  private IsoImage(String label, SortedMap<String, byte[]> files) {
    this.label = label;
    this.files = files;
    long sectors = FILES + files.values().stream().mapToLong(IsoImage::sectors).sum();
    this.image = ByteBuffer.allocate(Math.toIntExact(sectors * SECTOR));
  }

  /** One of two trees over the same files. */
  private enum Names {
    /** In capital letters, which every system reads and Linux makes small ones. */
    PLAIN(StandardCharsets.US_ASCII),
    /** As they are. */
    JOLIET(StandardCharsets.UTF_16BE);

    private final Charset charset;

    Names(Charset charset) {
      this.charset = charset;
    }

    byte[] of(String file) {
      return switch (this) {
        case PLAIN -> (file.toUpperCase(Locale.ROOT) + ".;1").getBytes(charset);
        case JOLIET -> (file + ";1").getBytes(charset);
      };
    }

    int table() {
      return TABLES + 2 * ordinal();
    }

    int directory() {
      return DIRECTORIES + ordinal();
    }
  }

  /**
   * Makes one.
   *
   * @param label of the volume, at most 16 characters of ASCII
   * @param files by name, which is of small letters, digits and hyphens; as many as fit into one
   *     sector of a directory
   */
  static byte[] of(String label, Map<String, byte[]> files) {
    if (!label.matches("[A-Za-z0-9_]{1,16}")) {
      throw new IllegalArgumentException("not a label: " + label);
    }
    for (String name : files.keySet()) {
      if (!name.matches("[a-z0-9-]{1,28}")) {
        throw new IllegalArgumentException("not a name of a file: " + name);
      }
    }
    return new IsoImage(label, new TreeMap<>(files)).write();
  }

  private static long sectors(byte[] content) {
    return (content.length + SECTOR - 1L) / SECTOR;
  }

  private byte[] write() {
    descriptor(DESCRIPTORS, PRIMARY, Names.PLAIN);
    descriptor(DESCRIPTORS + 1, SUPPLEMENTARY, Names.JOLIET);
    start(DESCRIPTORS + 2, TERMINATOR);
    for (Names names : Names.values()) {
      pathTable(names.table(), names, ByteOrder.LITTLE_ENDIAN);
      pathTable(names.table() + 1, names, ByteOrder.BIG_ENDIAN);
      directory(names);
    }
    at(FILES);
    for (byte[] content : files.values()) {
      image.put(content);
      image.position(align(image.position()));
    }
    return image.array();
  }

  private static int align(int position) {
    return (position + SECTOR - 1) / SECTOR * SECTOR;
  }

  private void at(int sector) {
    image.position(sector * SECTOR);
  }

  private void start(int sector, int type) {
    at(sector);
    image.put((byte) type).put("CD001".getBytes(StandardCharsets.US_ASCII)).put((byte) 1);
  }

  private void descriptor(int sector, int type, Names names) {
    start(sector, type);
    image.put((byte) 0);
    text("", 32, names);
    text(label, 32, names);
    skip(8);
    both(image.capacity() / SECTOR);
    if (names == Names.JOLIET) {
      image.put("%/E".getBytes(StandardCharsets.US_ASCII)); // UCS-2 of level 3
      skip(29);
    } else {
      skip(32);
    }
    bothShort(1); // volume
    bothShort(1); // of one
    bothShort(SECTOR);
    both(PATH_TABLE_SIZE);
    image.order(ByteOrder.LITTLE_ENDIAN).putInt(names.table()).putInt(0);
    image.order(ByteOrder.BIG_ENDIAN).putInt(names.table() + 1).putInt(0);
    entry(new byte[1], names.directory(), SECTOR, true);
    for (int size : TEXTS) {
      text("", size, names);
    }
    for (int i = 0; i < DATES; i++) {
      text(NO_DATE, NO_DATE.length(), Names.PLAIN);
      skip(1);
    }
    image.put((byte) 1);
  }

  /** A text, and spaces behind it. */
  private void text(String text, int length, Names names) {
    byte[] space = " ".getBytes(names.charset);
    byte[] bytes = text.getBytes(names.charset);
    int end = image.position() + length;
    image.put(bytes);
    while (image.position() + space.length <= end) {
      image.put(space);
    }
    image.position(end);
  }

  private void skip(int bytes) {
    image.position(image.position() + bytes);
  }

  /** A number in both byte orders. */
  private void both(int number) {
    image.order(ByteOrder.LITTLE_ENDIAN).putInt(number);
    image.order(ByteOrder.BIG_ENDIAN).putInt(number);
  }

  private void bothShort(int number) {
    image.order(ByteOrder.LITTLE_ENDIAN).putShort((short) number);
    image.order(ByteOrder.BIG_ENDIAN).putShort((short) number);
  }

  private void pathTable(int sector, Names names, ByteOrder order) {
    at(sector);
    image.put((byte) 1).put((byte) 0);
    image.order(order).putInt(names.directory()).putShort((short) 1);
  }

  private void directory(Names names) {
    at(names.directory());
    entry(new byte[] {0}, names.directory(), SECTOR, true); // itself
    entry(new byte[] {1}, names.directory(), SECTOR, true); // what is above it
    int sector = FILES;
    for (Map.Entry<String, byte[]> file : files.entrySet()) {
      byte[] name = names.of(file.getKey());
      if (image.position() + RECORD + name.length > (names.directory() + 1) * SECTOR) {
        throw new IllegalArgumentException("too many files: " + files.keySet());
      }
      entry(name, sector, file.getValue().length, false);
      sector += (int) sectors(file.getValue());
    }
  }

  private void entry(byte[] name, int sector, int size, boolean directory) {
    int length = (RECORD + name.length + 1) / 2 * 2;
    int end = image.position() + length;
    image.put((byte) length).put((byte) 0);
    both(sector);
    both(size);
    image.put((byte) YEAR).put((byte) 1).put((byte) 1).putInt(0); // 1970-01-01 00:00:00 UTC
    image.put((byte) (directory ? DIRECTORY : 0)).putShort((short) 0);
    bothShort(1);
    image.put((byte) name.length).put(name);
    image.position(end);
  }
}
