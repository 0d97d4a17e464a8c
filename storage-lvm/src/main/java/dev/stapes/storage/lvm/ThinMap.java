package dev.stapes.storage.lvm;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads what thin_dump(8) and thin_delta(8) write: which parts of a volume are mapped, or are
 * others than those of another volume.
 */
final class ThinMap {
  private static final Pattern ELEMENT =
      Pattern.compile("<(\\w+)((?:\\s+\\w+=\"[^\"]*\")*)\\s*/?>");
  private static final Pattern ATTRIBUTE = Pattern.compile("(\\w+)=\"([^\"]*)\"");
  private static final String END = "</superblock>";
  private static final long SECTOR = 512;

  private ThinMap() {}

  /**
   * A part of a volume.
   *
   * @param offset in bytes
   * @param length in bytes
   */
  record Range(long offset, long length) {}

  /**
   * The parts that are mapped, or differ, in their order.
   *
   * @param size of the volume, beyond which nothing counts
   * @return empty where the text is cut
   */
  static Optional<List<Range>> ranges(String text, long size) throws LvmReport.Malformed {
    if (!text.stripTrailing().endsWith(END)) {
      return Optional.empty();
    }
    List<Range> ranges = new ArrayList<>();
    long block = 0;
    Matcher element = ELEMENT.matcher(text);
    while (element.find()) {
      Map<String, String> attributes = attributes(element.group(2));
      switch (element.group(1)) {
        case "superblock" -> block = number(attributes, "data_block_size") * SECTOR;
        case "single_mapping" -> add(ranges, number(attributes, "origin_block"), 1, block, size);
        case "range_mapping" ->
            add(
                ranges,
                number(attributes, "origin_begin"),
                number(attributes, "length"),
                block,
                size);
        case "different", "left_only", "right_only" ->
            add(ranges, number(attributes, "begin"), number(attributes, "length"), block, size);
        default -> {
          // what is the same, and who it is
        }
      }
    }
    return Optional.of(ranges);
  }

  private static void add(List<Range> ranges, long begin, long count, long block, long size)
      throws LvmReport.Malformed {
    long most = Long.MAX_VALUE >> 1;
    if (block <= 0 || begin > most / block || count > most / block || count <= 0) {
      throw new LvmReport.Malformed("blocks " + begin + " to " + count + " of " + block + " bytes");
    }
    long offset = begin * block;
    long length = Math.min(count * block, size - offset);
    if (length <= 0) {
      return; // beyond the end of one that was made smaller
    }
    int last = ranges.size() - 1;
    long end = last < 0 ? 0 : ranges.get(last).offset() + ranges.get(last).length();
    if (offset < end) {
      throw new LvmReport.Malformed("byte " + offset + " comes after " + end);
    }
    if (last >= 0 && offset == end) {
      Range before = ranges.get(last);
      ranges.set(last, new Range(before.offset(), before.length() + length));
    } else {
      ranges.add(new Range(offset, length));
    }
  }

  private static Map<String, String> attributes(String text) {
    Map<String, String> attributes = new HashMap<>();
    Matcher attribute = ATTRIBUTE.matcher(text);
    while (attribute.find()) {
      attributes.put(attribute.group(1), attribute.group(2));
    }
    return attributes;
  }

  private static long number(Map<String, String> attributes, String name)
      throws LvmReport.Malformed {
    String text = attributes.getOrDefault(name, "");
    if (!text.matches("[0-9]{1,18}")) {
      throw new LvmReport.Malformed("no number " + name + ": \"" + text + "\"");
    }
    return Long.parseLong(text);
  }
}
