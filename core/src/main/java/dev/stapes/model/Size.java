package dev.stapes.model;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A number of bytes, at least 0. The text form is Incus's: a whole number with an optional unit,
 * decimal ({@code kB MB GB TB PB EB}) or binary ({@code KiB MiB GiB TiB PiB EiB}); {@code B} or
 * nothing means bytes.
 *
 * @param bytes at least 0
 */
public record Size(long bytes) implements Comparable<Size> {
  private static final Pattern FORM = Pattern.compile("(\\d+(?:\\.\\d+)?)\\s*([A-Za-z]*)");
  private static final Map<String, Long> UNITS = units();
  private static final String[] BINARY = {"EiB", "PiB", "TiB", "GiB", "MiB", "KiB"};

  /** Refuses a negative number. */
  public Size {
    if (bytes < 0) {
      throw StapesException.invalid("size", "must not be negative: " + bytes);
    }
  }

  /** So many bytes. */
  public static Size ofBytes(long bytes) {
    return new Size(bytes);
  }

  /** So many times 1,024 bytes. */
  public static Size ofKibibytes(long count) {
    return of(count, "KiB");
  }

  /** So many times 1,048,576 bytes. */
  public static Size ofMebibytes(long count) {
    return of(count, "MiB");
  }

  /** So many times 1,073,741,824 bytes. */
  public static Size ofGibibytes(long count) {
    return of(count, "GiB");
  }

  /**
   * Reads {@code 512MiB}, {@code 10GB}, {@code 4096}.
   *
   * @throws StapesException INVALID, quoting the text, where it is no size or exceeds 8 EiB
   */
  public static Size parse(String text) {
    Matcher matcher = FORM.matcher(text.strip());
    Long unit = matcher.matches() ? UNITS.get(matcher.group(2)) : null;
    if (unit == null) {
      throw StapesException.invalid(
          "size", "not a number with a unit such as 512MiB or 10GB: \"" + text + "\"");
    }
    try {
      BigInteger exact =
          new BigDecimal(matcher.group(1)).multiply(BigDecimal.valueOf(unit)).toBigIntegerExact();
      return new Size(exact.longValueExact());
    } catch (ArithmeticException e) {
      throw new StapesException(
          StapesException.Kind.INVALID,
          "size",
          "not a whole number of bytes below 8 EiB: \"" + text + "\"",
          e);
    }
  }

  @Override
  public int compareTo(Size other) {
    return Long.compare(bytes, other.bytes);
  }

  /** The exact form with the largest binary unit that divides it, such as {@code 512MiB}. */
  @Override
  public String toString() {
    for (String unit : BINARY) {
      long factor = factor(unit);
      if (bytes != 0 && bytes % factor == 0) {
        return bytes / factor + unit;
      }
    }
    return Long.toString(bytes);
  }

  /** A rounded form for people, such as {@code 1.4 GiB}. */
  public String toDisplay() {
    for (String unit : BINARY) {
      long factor = factor(unit);
      if (bytes >= factor) {
        return String.format(Locale.ROOT, "%.1f %s", (double) bytes / factor, unit);
      }
    }
    return bytes + " B";
  }

  private static Size of(long count, String unit) {
    try {
      return new Size(Math.multiplyExact(count, factor(unit)));
    } catch (ArithmeticException e) {
      throw new StapesException(
          StapesException.Kind.INVALID, "size", "too large: " + count + unit, e);
    }
  }

  private static long factor(String unit) {
    Long factor = UNITS.get(unit);
    if (factor == null) {
      throw new IllegalArgumentException(unit);
    }
    return factor;
  }

  private static Map<String, Long> units() {
    Map<String, Long> units = new TreeMap<>();
    units.put("", 1L);
    units.put("B", 1L);
    long decimal = 1;
    long binary = 1;
    for (String prefix : new String[] {"k", "M", "G", "T", "P", "E"}) {
      decimal *= 1_000;
      binary *= 1_024;
      units.put(prefix + "B", decimal);
      units.put(prefix.toUpperCase(Locale.ROOT) + "iB", binary);
    }
    return units;
  }
}
