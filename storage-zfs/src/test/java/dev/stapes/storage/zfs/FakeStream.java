package dev.stapes.storage.zfs;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * A stream of a snapshot that is not there: the first record as OpenZFS writes it, then a word, a
 * byte that ends it, and as many bytes before that as a test wants.
 */
record FakeStream(long guid, long base, String content, int padding) {
  private static final int END = 0x45;

  /** The first record, of an order of bytes. */
  static byte[] header(long version, int type, long base, ByteOrder order) {
    return ByteBuffer.allocate(StreamHeader.BYTES)
        .order(order)
        .putInt(0)
        .putInt(0)
        .putLong(0x2F5bacbacL)
        .putLong(version)
        .putLong(1_700_000_000L)
        .putInt(type)
        .putInt(0)
        .putLong(77)
        .putLong(base)
        .put("tank/somebody's@else".getBytes(StandardCharsets.UTF_8))
        .array();
  }

  byte[] bytes() {
    byte[] header = header(1, 2, base, ByteOrder.LITTLE_ENDIAN);
    ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).putLong(40, guid);
    byte[] word = content.getBytes(StandardCharsets.UTF_8);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(header);
    out.writeBytes(ByteBuffer.allocate(8).putInt(word.length).putInt(padding).array());
    out.writeBytes(word);
    out.writeBytes(new byte[padding]);
    out.write(END);
    return out.toByteArray();
  }

  /** Empty where it ends early. */
  static Optional<FakeStream> parse(byte[] bytes) {
    ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    if (bytes.length < StreamHeader.BYTES + 8) {
      return Optional.empty();
    }
    long guid = buffer.getLong(40);
    long base = buffer.getLong(48);
    buffer.order(ByteOrder.BIG_ENDIAN).position(StreamHeader.BYTES);
    byte[] word = new byte[buffer.getInt()];
    int padding = buffer.getInt();
    if (buffer.remaining() != word.length + padding + 1) {
      return Optional.empty();
    }
    buffer.get(word);
    return Optional.of(
        new FakeStream(guid, base, new String(word, StandardCharsets.UTF_8), padding));
  }
}
