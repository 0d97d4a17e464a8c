package dev.stapes.model;

import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * When snapshots are to be made: five fields as in crontab(5), or one or several of {@code @hourly
 * @daily @midnight @weekly @monthly @annually @yearly @startup @never}, separated by commas.
 */
public final class SnapshotSchedule {
  private static final String STARTUP = "@startup";
  private static final String NEVER = "@never";
  private static final Map<String, String> ALIASES =
      Map.of(
          "@hourly", "0 * * * *",
          "@daily", "0 0 * * *",
          "@midnight", "0 0 * * *",
          "@weekly", "0 0 * * 0",
          "@monthly", "0 0 1 * *",
          "@annually", "0 0 1 1 *",
          "@yearly", "0 0 1 1 *");

  private final List<CronTime> times;
  private final boolean startup;

  private SnapshotSchedule(List<CronTime> times, boolean startup) {
    this.times = List.copyOf(times);
    this.startup = startup;
  }

  /**
   * Reads one.
   *
   * @throws StapesException INVALID, quoting what is wrong
   */
  public static SnapshotSchedule parse(String text) {
    String stripped = text.strip().toLowerCase(Locale.ROOT);
    if (!stripped.startsWith("@")) {
      return new SnapshotSchedule(List.of(CronTime.parse(stripped)), false);
    }
    List<CronTime> times = new ArrayList<>();
    boolean startup = false;
    for (String part : stripped.split(",", -1)) {
      String alias = part.strip();
      String fields = ALIASES.get(alias);
      if (fields != null) {
        times.add(CronTime.parse(fields));
      } else if (alias.equals(STARTUP)) {
        startup = true;
      } else if (!alias.equals(NEVER)) {
        throw StapesException.invalid(
            "schedule", "no such word: \"" + alias + "\" of \"" + text + "\"");
      }
    }
    return new SnapshotSchedule(times, startup);
  }

  /** The first moment behind another one at which a snapshot is due; empty: never. */
  public Optional<ZonedDateTime> next(ZonedDateTime after) {
    return times.stream()
        .flatMap(time -> time.next(after).stream())
        .min(Comparator.comparing(ZonedDateTime::toInstant));
  }

  /** Whether a snapshot is due when an instance is started. */
  public boolean isAtStartup() {
    return startup;
  }
}
