package dev.stapes.internal.image.disk;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.UUID;

/** The regions and the metadata of a disk of Hyper-V, [MS-VHDX]. */
final class Vhdx {
  static final byte[] MAGIC = "vhdxfile".getBytes(StandardCharsets.US_ASCII);

  private static final int REGIONS_AT = 192 << 10;
  private static final int ENTRY = 32;
  private static final int REGIONS_HEADER = 16;
  private static final int MOST_ENTRIES = 2_047;
  private static final int HAS_PARENT = 2;
  private static final UUID METADATA = UUID.fromString("8b7ca206-4790-4b9a-b8fe-575f050f886e");
  private static final UUID PARAMETERS = UUID.fromString("caa16737-fa36-4d43-b3b6-33f0aa44e76b");
  private static final UUID SIZE = UUID.fromString("2fa54224-cd1b-4876-b211-5dbed83bf4b8");

  private final DiskBytes bytes;

  private Vhdx(DiskBytes bytes) {
    this.bytes = bytes;
  }

  static Disk read(DiskBytes bytes) {
    return new Vhdx(bytes).read();
  }

  private Disk read() {
    ByteBuffer regions = little(REGIONS_AT, REGIONS_HEADER);
    long metadata =
        little(find(REGIONS_AT + REGIONS_HEADER, regions.getInt(8), METADATA), ENTRY).getLong(16);
    ByteBuffer table = little(metadata, ENTRY);
    int count = Short.toUnsignedInt(table.getShort(10));
    if ((item(metadata, count, PARAMETERS, 8).getInt(4) & HAS_PARENT) != 0) {
      throw bytes.wrong("holds only what differs from another disk");
    }
    return new Disk(DiskFormat.VHDX, item(metadata, count, SIZE, 8).getLong(0));
  }

  /** The value of an entry of the metadata. */
  private ByteBuffer item(long metadata, int count, UUID id, int length) {
    ByteBuffer entry = little(find(metadata + ENTRY, count, id), ENTRY);
    return little(metadata + Integer.toUnsignedLong(entry.getInt(16)), length);
  }

  /** Where the entry of an id is. */
  private long find(long table, int count, UUID id) {
    if (count < 0 || count > MOST_ENTRIES) {
      throw bytes.wrong("has a table of " + Integer.toUnsignedString(count) + " entries");
    }
    for (int i = 0; i < count; i++) {
      ByteBuffer entry = little(table + (long) i * ENTRY, ENTRY);
      if (uuid(entry).equals(id)) {
        return table + (long) i * ENTRY;
      }
    }
    throw bytes.wrong("is no whole vhdx: it has no entry " + id);
  }

  /** Its first three fields are numbers in the order of the file. */
  private static UUID uuid(ByteBuffer entry) {
    long high =
        Integer.toUnsignedLong(entry.getInt(0)) << 32
            | Short.toUnsignedLong(entry.getShort(4)) << 16
            | Short.toUnsignedLong(entry.getShort(6));
    return new UUID(high, Long.reverseBytes(entry.getLong(8)));
  }

  private ByteBuffer little(long offset, int length) {
    return bytes.at(offset, length).order(ByteOrder.LITTLE_ENDIAN);
  }
}
