package dev.stapes.internal.image;

import dev.stapes.model.StapesException;
import java.io.ByteArrayOutputStream;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The extended header of POSIX.1-2001: records {@code "<length> <keyword>=<value>\n"}. Values are
 * kept as bytes, for attributes hold any.
 */
final class PaxRecords {
  private static final String SCHILY_XATTR = "SCHILY.xattr.";
  private static final String LIBARCHIVE_XATTR = "LIBARCHIVE.xattr.";
  private static final int LENGTH_DIGITS = 10;
  private static final int NAME_MAX = 255;
  private static final int NANO_DIGITS = 9;

  private final Map<String, byte[]> values = new LinkedHashMap<>();
  // GNU sparse format 0.0 repeats its two keywords, which no other does.
  private final List<String> sparsePairs = new ArrayList<>();

  boolean contains(String key) {
    return values.containsKey(key);
  }

  /** Of an entry that follows a global header: its own records win. */
  PaxRecords over(PaxRecords global) {
    PaxRecords merged = new PaxRecords();
    merged.values.putAll(global.values);
    merged.values.putAll(values);
    merged.sparsePairs.addAll(sparsePairs);
    return merged;
  }

  /** Adds the records of one header. */
  void parse(byte[] data) {
    int at = 0;
    while (at < data.length && data[at] != 0) {
      int space = at;
      int length = 0;
      while (space < data.length && data[space] >= '0' && data[space] <= '9') {
        length = length * 10 + data[space++] - '0';
        if (space - at > LENGTH_DIGITS - 1) {
          throw damaged();
        }
      }
      int end = at + length;
      if (space == at || space >= data.length || data[space] != ' ' || end > data.length) {
        throw damaged();
      }
      int equals = space + 1;
      while (equals < end && data[equals] != '=') {
        equals++;
      }
      if (end - 1 <= equals || data[end - 1] != '\n') {
        throw damaged();
      }
      String key =
          TarFormat.text(Arrays.copyOfRange(data, space + 1, equals), "extended header keyword");
      put(key, Arrays.copyOfRange(data, equals + 1, end - 1));
      at = end;
    }
  }

  private void put(String key, byte[] value) {
    if (key.equals("GNU.sparse.offset") || key.equals("GNU.sparse.numbytes")) {
      sparsePairs.add(TarFormat.text(value, key));
    } else if (value.length == 0 && !key.startsWith(SCHILY_XATTR)) {
      values.remove(key); // an empty value takes the keyword back
    } else {
      values.put(key, value);
    }
  }

  /** A text value without NUL. */
  Optional<String> text(String key) {
    byte[] value = values.get(key);
    if (value == null) {
      return Optional.empty();
    }
    String text = TarFormat.text(value, key);
    if (text.indexOf('\0') >= 0) {
      throw BadArchive.because(key + " has a NUL in it: " + BadArchive.quote(text));
    }
    return Optional.of(text);
  }

  /** A number, or what the header has. */
  long number(String key, long otherwise) {
    Optional<String> text = text(key);
    try {
      return text.isEmpty() ? otherwise : Long.parseLong(text.get());
    } catch (NumberFormatException e) {
      throw BadArchive.because(key + " is no number: " + BadArchive.quote(text.orElse("")), e);
    }
  }

  /** A time with a fraction, or what the header has. */
  Instant time(String key, Instant otherwise) {
    Optional<String> text = text(key);
    if (text.isEmpty()) {
      return otherwise;
    }
    try {
      if (text.get().length() > 40
          || text.get().indexOf('e') >= 0
          || text.get().indexOf('E') >= 0) {
        throw new NumberFormatException("too long");
      }
      BigDecimal exact = new BigDecimal(text.get()).setScale(NANO_DIGITS, RoundingMode.FLOOR);
      BigDecimal seconds = exact.setScale(0, RoundingMode.FLOOR);
      return Instant.ofEpochSecond(
          seconds.longValueExact(),
          exact.subtract(seconds).movePointRight(NANO_DIGITS).longValueExact());
    } catch (ArithmeticException | NumberFormatException | DateTimeException e) {
      throw BadArchive.because(key + " is no time: " + BadArchive.quote(text.get()), e);
    }
  }

  /** The numbers of GNU sparse format 0.0: offset, length, offset, ... */
  List<String> sparsePairs() {
    return sparsePairs;
  }

  /** The extended attributes, in whichever of the two ways they are written. */
  TreeMap<String, byte[]> xattrs(ArchiveLimits limits) {
    TreeMap<String, byte[]> attributes = new TreeMap<>();
    for (Map.Entry<String, byte[]> record : values.entrySet()) {
      String key = record.getKey();
      try {
        if (key.startsWith(SCHILY_XATTR)) {
          // GNU tar writes a % as %25 and a = as %3D.
          String name = key.substring(SCHILY_XATTR.length());
          attributes.put(name.replace("%3D", "=").replace("%25", "%"), record.getValue());
        } else if (key.startsWith(LIBARCHIVE_XATTR)) {
          String name =
              URLDecoder.decode(
                  key.substring(LIBARCHIVE_XATTR.length()).replace("+", "%2B"),
                  StandardCharsets.UTF_8);
          String base64 = TarFormat.text(record.getValue(), key).replaceAll("[=\\s]", "");
          attributes.putIfAbsent(name, Base64.getDecoder().decode(base64));
        }
      } catch (IllegalArgumentException e) {
        throw BadArchive.because("attribute " + BadArchive.quote(key) + " is badly encoded", e);
      }
    }
    attributes.forEach((name, value) -> check(name, value, limits));
    return attributes;
  }

  private static void check(String name, byte[] value, ArchiveLimits limits) {
    if (name.isEmpty()
        || name.indexOf('\0') >= 0
        || name.getBytes(StandardCharsets.UTF_8).length > NAME_MAX) {
      throw BadArchive.because("no name of an extended attribute: " + BadArchive.quote(name));
    }
    if (value.length > limits.attributeBytes()) {
      throw BadArchive.because(
          String.format(
              Locale.ROOT,
              "attribute %s has %d bytes, more than the allowed %d",
              BadArchive.quote(name),
              value.length,
              limits.attributeBytes()));
    }
  }

  /** Writes a record. */
  static void write(ByteArrayOutputStream out, String key, byte[] value) {
    byte[] keyword = key.getBytes(StandardCharsets.UTF_8);
    int rest = keyword.length + value.length + 3; // space, equals sign, newline
    int length = rest + Integer.toString(rest).length();
    if (Integer.toString(length).length() != Integer.toString(rest).length()) {
      length = rest + Integer.toString(length).length();
    }
    out.writeBytes((length + " ").getBytes(StandardCharsets.US_ASCII));
    out.writeBytes(keyword);
    out.write('=');
    out.writeBytes(value);
    out.write('\n');
  }

  /** The keyword of an extended attribute. */
  static String attributeKey(String name) {
    return SCHILY_XATTR + name.replace("%", "%25").replace("=", "%3D");
  }

  private static StapesException damaged() {
    return BadArchive.because("an extended header is damaged");
  }
}
