package dev.stapes.model;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The config keys of custom volumes; names and meanings are Incus's. */
public final class VolumeKeys {
  private static final Pattern TERM = Pattern.compile("(\\d{1,9})([MHdwmy])");
  private static final String NUMBER = "%d";

  /** At most so much data. */
  public static final ConfigKey<Size> SIZE =
      ConfigKey.of("size", ConfigType.SIZE, true, "At most so much data");

  /** How long snapshots are kept, such as {@code 1w 12H}; see {@link #expiryOf}. */
  public static final ConfigKey<String> SNAPSHOTS_EXPIRY =
      ConfigKey.of(
          "snapshots.expiry",
          new ConfigType<>("string", VolumeKeys::checkExpiry),
          true,
          "How long a snapshot is kept: numbers with M, H, d, w, m or y, such as 1w 12H");

  /** What snapshots without a name are called. */
  public static final ConfigKey<String> SNAPSHOTS_PATTERN =
      ConfigKey.of(
          "snapshots.pattern",
          new ConfigType<>("string", VolumeKeys::checkPattern),
          "snap%d",
          true,
          "What snapshots without a name are called; %d is a number that goes up");

  /** Volumes are always mounted with mapped owners, so that several instances can have one. */
  public static final ConfigKey<String> SECURITY_SHIFTED =
      ConfigKey.of(
          "security.shifted",
          ConfigType.oneOf("true"),
          "true",
          true,
          "Owners are those that instances see, whatever their maps");

  /** Whatever the embedding program keeps here. */
  public static final ConfigKey<String> USER =
      ConfigKey.of("user.*", ConfigType.BLOB, true, "Free for the embedding program");

  /** All of the above. */
  public static final ConfigSchema SCHEMA =
      new ConfigSchema(List.of(SIZE, SNAPSHOTS_EXPIRY, SNAPSHOTS_PATTERN, SECURITY_SHIFTED, USER));

  private VolumeKeys() {}

  /**
   * When something of a moment expires.
   *
   * @param expiry numbers with a unit each, separated by spaces: M minutes, H hours, d days, w
   *     weeks, m months, y years
   * @throws StapesException INVALID, quoting the text
   */
  public static Instant expiryOf(Instant from, String expiry) {
    ZonedDateTime at = from.atZone(ZoneOffset.UTC);
    for (String term : expiry.strip().split("\\s+", -1)) {
      Matcher matcher = TERM.matcher(term);
      if (!matcher.matches()) {
        throw StapesException.invalid(
            "expiry", "not numbers with M, H, d, w, m or y, such as 1w 12H: \"" + expiry + "\"");
      }
      at = plus(at, Integer.parseInt(matcher.group(1)), matcher.group(2), expiry);
    }
    return at.toInstant();
  }

  private static ZonedDateTime plus(ZonedDateTime at, int count, String unit, String expiry) {
    ZonedDateTime later =
        switch (unit) {
          case "M" -> at.plusMinutes(count);
          case "H" -> at.plusHours(count);
          case "d" -> at.plusDays(count);
          case "w" -> at.plusWeeks(count);
          case "m" -> at.plusMonths(count);
          default -> at.plusYears(Math.min(count, 100_000));
        };
    if (later.getYear() > 9999) {
      throw StapesException.invalid("expiry", "beyond the year 9999: \"" + expiry + "\"");
    }
    return later;
  }

  /** The name that a pattern gives to a number. */
  public static String snapshotName(String pattern, long number) {
    return pattern.replace(NUMBER, Long.toString(number));
  }

  private static String checkExpiry(String text) {
    expiryOf(Instant.EPOCH, text);
    return text;
  }

  private static String checkPattern(String text) {
    int at = text.indexOf(NUMBER);
    if (at < 0 || text.indexOf('%', at + 1) >= 0) {
      throw StapesException.invalid("value", "must have %d once, and no other %: \"" + text + "\"");
    }
    Names.snapshot(snapshotName(text, Integer.MAX_VALUE));
    return text;
  }
}
