package dev.stapes.linux.cgroup;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Parses the files that tell usage; pure. What is not as documented is left out, for kernels add
 * lines.
 */
final class UsageText {
  // v1 says "unlimited" as the greatest multiple of the page size.
  private static final long PRACTICALLY_UNLIMITED = 1L << 62;

  private static final Pattern NUMBER = Pattern.compile("\\d{1,20}");
  private static final Pattern V1_LINE = Pattern.compile("(\\d+:\\d+) (Read|Write) (\\d{1,18})");
  private static final Pattern V2_DEVICE = Pattern.compile("\\d+:\\d+");

  private UsageText() {}

  /** Parses a single number. */
  static OptionalLong number(String text) {
    try {
      return NUMBER.matcher(text).matches()
          ? OptionalLong.of(Long.parseLong(text))
          : OptionalLong.empty();
    } catch (NumberFormatException beyondLong) {
      return OptionalLong.of(Long.MAX_VALUE);
    }
  }

  /** Parses a limit; nothing for none. */
  static OptionalLong limit(String text) {
    OptionalLong number = number(text);
    return number.isPresent() && number.getAsLong() >= PRACTICALLY_UNLIMITED
        ? OptionalLong.empty()
        : number;
  }

  /** Parses lines of a key and a number, such as {@code cpu.stat}. */
  static Map<String, Long> keyed(String text) {
    Map<String, Long> values = new HashMap<>();
    text.lines()
        .forEach(
            line -> {
              int blank = line.indexOf(' ');
              if (blank > 0) {
                number(line.substring(blank + 1))
                    .ifPresent(value -> values.put(line.substring(0, blank), value));
              }
            });
    return values;
  }

  static OptionalLong value(Map<String, Long> values, String key) {
    return Optional.ofNullable(values.get(key)).stream().mapToLong(Long::longValue).findFirst();
  }

  /** Parses {@code blkio.throttle.io_service_bytes} and {@code io_serviced} of v1. */
  static Map<BlockDevice, CgroupUsage.Io> ioV1(String bytes, String operations) {
    Map<BlockDevice, CgroupUsage.Io> io = new LinkedHashMap<>();
    addV1(io, bytes, true);
    addV1(io, operations, false);
    return io;
  }

  private static void addV1(Map<BlockDevice, CgroupUsage.Io> io, String text, boolean bytes) {
    text.lines()
        .map(V1_LINE::matcher)
        .filter(Matcher::matches)
        .forEach(
            line -> {
              long read = line.group(2).equals("Read") ? Long.parseLong(line.group(3)) : 0;
              long written = line.group(2).equals("Write") ? Long.parseLong(line.group(3)) : 0;
              CgroupUsage.Io more =
                  bytes
                      ? new CgroupUsage.Io(read, written, 0, 0)
                      : new CgroupUsage.Io(0, 0, read, written);
              io.merge(BlockDevice.parse(line.group(1)), more, UsageText::sum);
            });
  }

  private static CgroupUsage.Io sum(CgroupUsage.Io a, CgroupUsage.Io b) {
    return new CgroupUsage.Io(
        a.readBytes() + b.readBytes(),
        a.writtenBytes() + b.writtenBytes(),
        a.reads() + b.reads(),
        a.writes() + b.writes());
  }

  /**
   * Parses {@code io.stat} of v2. Some kernels print the name of a device that did nothing without
   * a newline, so that the next one follows on the same line: the numbers are those of the device
   * named last.
   */
  static Map<BlockDevice, CgroupUsage.Io> ioV2(String text) {
    Map<BlockDevice, CgroupUsage.Io> io = new LinkedHashMap<>();
    text.lines()
        .forEach(
            line -> {
              String device = "";
              Map<String, Long> values = new HashMap<>();
              for (String word : line.split(" ")) {
                int equals = word.indexOf('=');
                if (V2_DEVICE.matcher(word).matches()) {
                  device = word;
                } else if (equals > 0) {
                  number(word.substring(equals + 1))
                      .ifPresent(value -> values.put(word.substring(0, equals), value));
                }
              }
              if (!device.isEmpty() && !values.isEmpty()) {
                io.put(BlockDevice.parse(device), ioV2(values));
              }
            });
    return io;
  }

  private static CgroupUsage.Io ioV2(Map<String, Long> values) {
    return new CgroupUsage.Io(
        values.getOrDefault("rbytes", 0L),
        values.getOrDefault("wbytes", 0L),
        values.getOrDefault("rios", 0L),
        values.getOrDefault("wios", 0L));
  }
}
