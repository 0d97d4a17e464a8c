package dev.stapes.storage.zfs;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The numbers in a list of names and values as the kernel packs it: {@code nvlist_pack} with {@code
 * NV_ENCODE_NATIVE}, {@code module/nvpair/nvpair.c} of OpenZFS. Of each pair there is its size, the
 * size of its name with a NUL, how many values it has, their type, the name up to a multiple of
 * eight bytes, and the values. It may come from anybody.
 */
final class PackedPairs {
  private static final int HEADER = 12;
  private static final int PAIR = 16;
  private static final int NAME_SIZE_AT = 4;
  private static final int TYPE_AT = 12;

  /** {@code DATA_TYPE_UINT64}. */
  private static final int NUMBER = 8;

  private PackedPairs() {}

  /** Those of a list, unsigned, by their names; empty where it is none. */
  static Optional<Map<String, Long>> numbers(byte[] packed) {
    if (packed.length < HEADER || packed[0] != 0) {
      return Optional.empty();
    }
    ByteOrder order = packed[1] == 1 ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN;
    try {
      return Optional.of(numbers(ByteBuffer.wrap(packed).order(order)));
    } catch (BufferUnderflowException | IndexOutOfBoundsException e) {
      return Optional.empty();
    }
  }

  private static Map<String, Long> numbers(ByteBuffer packed) {
    Map<String, Long> found = new HashMap<>();
    int at = HEADER;
    for (int size = packed.getInt(at); size != 0; size = packed.getInt(at)) {
      if (size < PAIR || size > packed.limit() - at) {
        throw new BufferUnderflowException();
      }
      byte[] name = new byte[Math.max(0, packed.getShort(at + NAME_SIZE_AT) - 1)];
      packed.get(at + PAIR, name);
      if (packed.getInt(at + TYPE_AT) == NUMBER) {
        int value = (PAIR + name.length + 1 + 7) / 8 * 8;
        found.put(new String(name, StandardCharsets.ISO_8859_1), packed.getLong(at + value));
      }
      at += size;
    }
    return found;
  }
}
