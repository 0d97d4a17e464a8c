package dev.stapes.linux.btrfs;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.UUID;

/** UUIDs as Btrfs keeps them: sixteen bytes in the order in which they are written. */
final class Uuids {
  static final UUID NONE = new UUID(0, 0);

  private Uuids() {}

  static UUID get(ByteBuffer buffer, int at) {
    ByteBuffer big = buffer.duplicate().order(ByteOrder.BIG_ENDIAN);
    return new UUID(big.getLong(at), big.getLong(at + Long.BYTES));
  }

  static void put(ByteBuffer buffer, int at, UUID uuid) {
    ByteBuffer big = buffer.duplicate().order(ByteOrder.BIG_ENDIAN);
    big.putLong(at, uuid.getMostSignificantBits());
    big.putLong(at + Long.BYTES, uuid.getLeastSignificantBits());
  }
}
