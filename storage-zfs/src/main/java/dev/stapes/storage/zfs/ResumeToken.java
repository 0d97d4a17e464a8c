package dev.stapes.storage.zfs;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * What {@code receive_resume_token} says, zfsprops(7): {@code 1-<checksum>-<size>-<bytes>}, with a
 * packed list that zlib has compressed. ZFS looks at the checksum itself.
 *
 * @param text of the token
 * @param guid of the snapshot that it is the rest of, unsigned
 * @param base the guid of the one that it is the difference to, unsigned; 0 for none
 * @param position where it goes on
 * @param bytes of the stream that came
 */
record ResumeToken(String text, long guid, long base, Position position, long bytes) {
  /** More than any has: it has the name of a snapshot and a few numbers. */
  private static final int MOST = 64 << 10;

  private static final Pattern FORM = Pattern.compile("1-[0-9a-f]{1,16}-[0-9a-f]{1,8}-([0-9a-f]+)");

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
    Matcher matcher = FORM.matcher(text);
    if (text.length() > MOST || !matcher.matches() || matcher.group(1).length() % 2 != 0) {
      return Optional.empty();
    }
    return inflated(HexFormat.of().parseHex(matcher.group(1)))
        .flatMap(PackedPairs::numbers)
        .flatMap(numbers -> of(text, numbers));
  }

  private static Optional<ResumeToken> of(String text, Map<String, Long> numbers) {
    long base = number(numbers, "fromguid").orElse(0L);
    return Position.of(numbers, "object", "offset")
        .flatMap(
            position ->
                number(numbers, "toguid")
                    .flatMap(
                        guid ->
                            number(numbers, "bytes")
                                .map(bytes -> new ResumeToken(text, guid, base, position, bytes))));
  }

  private static Optional<Long> number(Map<String, Long> numbers, String name) {
    return Optional.ofNullable(numbers.get(name));
  }

  private static Optional<byte[]> inflated(byte[] compressed) {
    Inflater inflater = new Inflater();
    try {
      inflater.setInput(compressed);
      byte[] buffer = new byte[MOST];
      int count = inflater.inflate(buffer);
      return inflater.finished() ? Optional.of(Arrays.copyOf(buffer, count)) : Optional.empty();
    } catch (DataFormatException e) {
      return Optional.empty();
    } finally {
      inflater.end();
    }
  }
}
