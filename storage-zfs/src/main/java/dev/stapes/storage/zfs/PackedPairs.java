package dev.stapes.storage.zfs;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A list of names and values as the kernel packs it: {@code nvlist_pack} with {@code
 * NV_ENCODE_NATIVE}, {@code module/nvpair/nvpair.c} of OpenZFS. Of each pair there is its size, the
 * size of its name with a NUL, how many values it has, their type, the name up to a multiple of
 * eight bytes, and the values. It may come from anybody: one that two readers could understand
 * differently is none.
 *
 * @param numbers unsigned, by their names
 * @param names of all pairs
 */
record PackedPairs(Map<String, Long> numbers, Set<String> names) {
  private static final int HEADER = 12;
  private static final int PAIR = 16;
  private static final int NAME_SIZE_AT = 4;
  private static final int COUNT_AT = 8;
  private static final int TYPE_AT = 12;

  /** {@code DATA_TYPE_BOOLEAN}: a name without a value. */
  private static final int MARK = 1;

  /** {@code DATA_TYPE_UINT64}. */
  private static final int NUMBER = 8;

  /** {@code DATA_TYPE_STRING}. */
  private static final int TEXT = 9;

  /** {@code NV_UNIQUE_NAME}. */
  private static final int NO_NAME_TWICE = 1;

  /** Reads a list; empty where it is none. */
  static Optional<PackedPairs> parse(byte[] packed) {
    if (packed.length < HEADER || packed[0] != 0) {
      return Optional.empty();
    }
    try {
      PackedPairs found = new PackedPairs(new HashMap<>(), new HashSet<>());
      found.read(ByteBuffer.wrap(packed).order(order(packed)));
      return Optional.of(found);
    } catch (BufferUnderflowException | IndexOutOfBoundsException e) {
      return Optional.empty();
    }
  }

  /** The order of bytes of the machine that has packed a list. */
  static ByteOrder order(byte[] packed) {
    return packed.length > 1 && packed[1] == 1 ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN;
  }

  private void read(ByteBuffer packed) {
    int at = HEADER;
    for (int size = packed.getInt(at); size != 0; size = packed.getInt(at)) {
      if (size < PAIR || size > packed.limit() - at) {
        throw new BufferUnderflowException();
      }
      readPair(packed, at, size);
      at += size;
    }
  }

  private void readPair(ByteBuffer packed, int at, int size) {
    String name = name(packed, at, size);
    int value = at + aligned(PAIR + name.length() + 1);
    if (!names.add(name)) {
      throw new BufferUnderflowException();
    }
    if (packed.getInt(at + TYPE_AT) == NUMBER) {
      if (packed.getInt(at + COUNT_AT) != 1 || value + Long.BYTES > at + size) {
        throw new BufferUnderflowException();
      }
      numbers.put(name, packed.getLong(value));
    }
  }

  /** It ends with its only NUL. */
  private static String name(ByteBuffer packed, int at, int size) {
    int length = packed.getShort(at + NAME_SIZE_AT) - 1;
    if (length < 0 || length >= size - PAIR) {
      throw new BufferUnderflowException();
    }
    byte[] name = new byte[length + 1];
    packed.get(at + PAIR, name);
    String text = new String(name, StandardCharsets.ISO_8859_1);
    if (text.indexOf('\0') != length) {
      throw new BufferUnderflowException();
    }
    return text.substring(0, length);
  }

  private static int aligned(int size) {
    return (size + 7) / 8 * 8;
  }

  /**
   * Packs a list as the kernel of this machine does.
   *
   * @param texts by their names
   * @param marks names without values
   */
  static byte[] pack(Map<String, Long> numbers, Map<String, String> texts, Set<String> marks) {
    ByteOrder order = ByteOrder.nativeOrder();
    ByteBuffer out = ByteBuffer.allocate(HEADER + Integer.BYTES + room(numbers, texts, marks));
    out.order(order).put((byte) 0).put((byte) (order == ByteOrder.LITTLE_ENDIAN ? 1 : 0));
    out.putShort((short) 0).putInt(0).putInt(NO_NAME_TWICE);
    numbers.forEach(
        (name, number) ->
            put(out, name, NUMBER, ByteBuffer.allocate(8).order(order).putLong(number).array()));
    texts.forEach(
        (name, text) -> put(out, name, TEXT, (text + "\0").getBytes(StandardCharsets.US_ASCII)));
    marks.forEach(name -> put(out, name, MARK, new byte[0]));
    out.putInt(0);
    return Arrays.copyOf(out.array(), out.position());
  }

  /** More than they take. */
  private static int room(Map<String, Long> numbers, Map<String, String> texts, Set<String> marks) {
    int most = PAIR + 3 * Long.BYTES;
    return numbers.keySet().stream().mapToInt(name -> name.length() + most).sum()
        + texts.entrySet().stream()
            .mapToInt(entry -> entry.getKey().length() + entry.getValue().length() + most)
            .sum()
        + marks.stream().mapToInt(name -> name.length() + most).sum();
  }

  private static void put(ByteBuffer out, String name, int type, byte[] value) {
    byte[] text = (name + "\0").getBytes(StandardCharsets.US_ASCII);
    int start = out.position();
    int at = aligned(PAIR + text.length);
    int size = at + aligned(value.length);
    out.putInt(size).putShort((short) text.length).putShort((short) 0);
    out.putInt(type == MARK ? 0 : 1).putInt(type).put(text);
    out.position(start + at).put(value).position(start + size);
  }
}
