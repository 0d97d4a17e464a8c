package dev.stapes.storage.zfs;

import dev.stapes.spi.StoragePool.Kept;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/**
 * What {@code receive_resume_token} says, zfsprops(7): {@code 1-<checksum>-<size>-<bytes>}, with a
 * packed list that zlib has compressed. It comes from another machine, and {@code zfs send -t}
 * believes all that it says: {@code zfs_send_resume} of {@code lib/libzfs/libzfs_sendrecv.c} begins
 * at the name in it, takes the first snapshot that has the guid, and sends it as the flags say, raw
 * or redacted, too. So ZFS never gets such a token, but {@link #of one of our own}.
 *
 * @param text of the token
 * @param guid of the snapshot that it is the rest of, unsigned
 * @param base the guid of the one that it is the difference to, unsigned; 0 for none
 * @param position where it goes on
 * @param bytes of the stream that came
 * @param forms how its records are sent, of {@link #FORMS}
 */
record ResumeToken(
    String text, long guid, long base, Position position, long bytes, Set<String> forms) {
  /** More than the list of any has: a name, a few numbers and flags. */
  private static final int MOST = 64 << 10;

  /** What zlib adds at most to a list as short as that. */
  private static final int DEFLATED_MORE = 64;

  /** How much of a text an error shows. */
  private static final int SHOWN = 60;

  private static final Pattern FORM =
      Pattern.compile("1-([0-9a-f]{1,16})-([0-9a-f]{1,8})-([0-9a-f]+)");

  /** In what form records are sent, which has to be as in the first part of the stream. */
  static final Set<String> FORMS = Set.of("largeblockok", "embedok", "compressok");

  /** Of streams that no volume can be made of. */
  private static final Set<String> UNUSABLE =
      Set.of("rawok", "savedok", "redact_snaps", "book_redact_snaps");

  /**
   * A place in a stream.
   *
   * @param object number of a file, or of whatever else ZFS keeps
   * @param offset in it
   */
  record Position(long object, long offset) {
    /** By the names that numbers have; empty where one is missing. */
    static Optional<Position> of(Map<String, Long> numbers, String object, String offset) {
      return number(numbers, object)
          .flatMap(first -> number(numbers, offset).map(then -> new Position(first, then)));
    }
  }

  /** Reads one, which may be anything; empty where it is none. */
  static Optional<ResumeToken> parse(String text) {
    if (!Kept.isToken(text)) {
      return Optional.empty();
    }
    Matcher matcher = FORM.matcher(text);
    if (!matcher.matches() || matcher.group(3).length() % 2 != 0) {
      return Optional.empty();
    }
    long checksum = Long.parseUnsignedLong(matcher.group(1), 16);
    long size = Long.parseLong(matcher.group(2), 16);
    byte[] compressed = HexFormat.of().parseHex(matcher.group(3));
    return inflated(compressed)
        .filter(packed -> packed.length == size)
        .filter(packed -> checksum(compressed, PackedPairs.order(packed)) == checksum)
        .flatMap(PackedPairs::parse)
        .flatMap(pairs -> of(text, pairs));
  }

  private static Optional<ResumeToken> of(String text, PackedPairs pairs) {
    Set<String> forms = new TreeSet<>(pairs.names());
    if (forms.stream().anyMatch(UNUSABLE::contains)) {
      return Optional.empty();
    }
    forms.retainAll(FORMS);
    Map<String, Long> numbers = pairs.numbers();
    long base = number(numbers, "fromguid").orElse(0L);
    return Position.of(numbers, "object", "offset")
        .flatMap(
            position ->
                number(numbers, "toguid")
                    .flatMap(
                        guid ->
                            number(numbers, "bytes")
                                .filter(bytes -> bytes >= 0)
                                .map(
                                    bytes ->
                                        new ResumeToken(
                                            text, guid, base, position, bytes, forms))));
  }

  private static Optional<Long> number(Map<String, Long> numbers, String name) {
    return Optional.ofNullable(numbers.get(name));
  }

  /** What an error says of a text that is none; not all of it, and nothing that cannot be seen. */
  static String refusal(String text) {
    String shown = text.substring(0, Math.min(SHOWN, text.length())).replaceAll("[^ -~]", "?");
    return text.length() > SHOWN
        ? "not a token of zfs: \"" + shown + "...\", of " + text.length() + " characters"
        : "not a token of zfs: \"" + shown + "\"";
  }

  /**
   * A token for this machine's {@code zfs send -t} that says the same of a snapshot that is here,
   * and of nothing else.
   */
  String of(Place snapshot) {
    Map<String, Long> numbers = new TreeMap<>();
    numbers.put("toguid", guid);
    numbers.put("object", position.object());
    numbers.put("offset", position.offset());
    numbers.put("bytes", bytes);
    if (base != 0) {
      numbers.put("fromguid", base);
    }
    return write(PackedPairs.pack(numbers, Map.of("toname", snapshot.toString()), forms));
  }

  /** A token of a list that this machine has packed. */
  static String write(byte[] packed) {
    byte[] compressed = deflated(packed);
    long checksum = checksum(compressed, PackedPairs.order(packed));
    return "1-"
        + Long.toHexString(checksum)
        + "-"
        + Integer.toHexString(packed.length)
        + "-"
        + HexFormat.of().formatHex(compressed);
  }

  /**
   * The first word of {@code fletcher_4_native_varsize}: the sum of all words of four bytes,
   * without what is left behind the last.
   */
  private static long checksum(byte[] bytes, ByteOrder order) {
    ByteBuffer words = ByteBuffer.wrap(bytes).order(order);
    long sum = 0;
    while (words.remaining() >= Integer.BYTES) {
      sum += Integer.toUnsignedLong(words.getInt());
    }
    return sum;
  }

  private static byte[] deflated(byte[] bytes) {
    Deflater deflater = new Deflater();
    try {
      deflater.setInput(bytes);
      deflater.finish();
      byte[] buffer = new byte[bytes.length + DEFLATED_MORE];
      return Arrays.copyOf(buffer, deflater.deflate(buffer));
    } finally {
      deflater.end();
    }
  }

  private static Optional<byte[]> inflated(byte[] compressed) {
    Inflater inflater = new Inflater();
    try {
      inflater.setInput(compressed);
      byte[] buffer = new byte[MOST];
      int count = inflater.inflate(buffer);
      return inflater.finished() && inflater.getRemaining() == 0
          ? Optional.of(Arrays.copyOf(buffer, count))
          : Optional.empty();
    } catch (DataFormatException e) {
      return Optional.empty();
    } finally {
      inflater.end();
    }
  }
}
