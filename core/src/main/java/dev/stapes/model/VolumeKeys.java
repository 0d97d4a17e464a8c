package dev.stapes.model;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The config keys of custom volumes; names and meanings are Incus's. */
public final class VolumeKeys {
  private static final Pattern TERM = Pattern.compile("(\\d{1,9})([MHdwmy])");
  private static final String NUMBER = "%d";
  private static final long LARGEST = 1L << 62;

  /** At most so much data. */
  public static final ConfigKey<Size> SIZE =
      ConfigKey.of(
          "size",
          ConfigType.SIZE,
          true,
          "At most so much data; of a block volume the bytes that it has, 10GiB without it");

  /** How long snapshots are kept, such as {@code 1w 12H}; see {@link #expiryOf}. */
  public static final ConfigKey<String> SNAPSHOTS_EXPIRY =
      ConfigKey.of(
          "snapshots.expiry",
          new ConfigType<>("string", VolumeKeys::checkExpiry),
          true,
          "How long a snapshot is kept: numbers with M, H, d, w, m or y, such as 1w 12H");

  /** When snapshots are made by {@code SnapshotSchedules.runDue}. */
  public static final ConfigKey<String> SNAPSHOTS_SCHEDULE =
      ConfigKey.of(
          "snapshots.schedule",
          new ConfigType<>("string", VolumeKeys::checkSchedule),
          true,
          "When snapshots are made: five fields of cron, or @hourly, @daily, @weekly, @monthly,"
              + " @yearly");

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

  /** Block volumes are for one running machine, which knows that nobody else writes to them. */
  public static final ConfigKey<Boolean> SECURITY_SHARED =
      ConfigKey.of(
          "security.shared",
          ConfigType.BOOL,
          "false",
          true,
          "Whether several virtual machines may run with a block volume");

  /** Whatever the embedding program keeps here. */
  public static final ConfigKey<String> USER =
      ConfigKey.of("user.*", ConfigType.BLOB, true, "Free for the embedding program");

  /** All of the above. */
  public static final ConfigSchema SCHEMA =
      new ConfigSchema(
          List.of(
              SIZE,
              SNAPSHOTS_EXPIRY,
              SNAPSHOTS_PATTERN,
              SNAPSHOTS_SCHEDULE,
              SECURITY_SHARED,
              SECURITY_SHIFTED,
              USER));

  private VolumeKeys() {}

  /**
   * Checks keys of a volume.
   *
   * @param subject for the error
   * @param changes an empty value removes its key
   * @throws StapesException INVALID for an unknown key or a bad value, and for what a volume of
   *     this content cannot have
   */
  public static void validate(String subject, VolumeContent content, Map<String, String> changes) {
    SCHEMA.validate(subject, changes);
    if (content != VolumeContent.BLOCK
        && !changes.getOrDefault(SECURITY_SHARED.name(), "").isEmpty()) {
      throw StapesException.invalid(
          subject,
          SECURITY_SHARED.name()
              + " is for block volumes: it is one of content type "
              + content.text());
    }
    String size = changes.get(SIZE.name());
    if (content == VolumeContent.FILESYSTEM || size == null) {
      return;
    }
    long bytes = size.isEmpty() ? 0 : SIZE.parse(size).bytes();
    if (bytes == 0 || bytes > LARGEST) {
      throw StapesException.invalid(
          subject, "the size of a disk must be 1 byte to 4 EiB: \"" + size + "\"");
    }
  }

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

  private static String checkSchedule(String text) {
    if (SnapshotSchedule.parse(text).isAtStartup()) {
      throw StapesException.invalid("schedule", "a volume has no @startup: \"" + text + "\"");
    }
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
