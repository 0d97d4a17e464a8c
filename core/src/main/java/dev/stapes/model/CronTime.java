package dev.stapes.model;

import java.time.DayOfWeek;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.ZonedDateTime;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The times of five fields as crontab(5) has them: minute, hour, day of the month, month, day of
 * the week. Where both days are restricted, a time is one of them where either of them fits.
 *
 * @param minutes 0 to 59
 * @param hours 0 to 23
 * @param days of the month, 1 to 31
 * @param months 1 to 12
 * @param weekdays 0 to 6, from Sunday
 * @param anyDay whether the days of the month are not restricted
 * @param anyWeekday whether the days of the week are not restricted
 */
record CronTime(
    BitSet minutes,
    BitSet hours,
    BitSet days,
    BitSet months,
    BitSet weekdays,
    boolean anyDay,
    boolean anyWeekday) {
  private static final List<String> MONTHS =
      List.of(
          "", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec");
  private static final List<String> WEEKDAYS =
      List.of("sun", "mon", "tue", "wed", "thu", "fri", "sat");

  /** From one 29th of February to the next there are eight years at most. */
  private static final int DAYS = 366 * 9;

  private static final int SUNDAY = 7;

  /**
   * Reads five fields.
   *
   * @throws StapesException INVALID, quoting what is wrong
   */
  static CronTime parse(String text) {
    String[] fields = text.strip().toLowerCase(Locale.ROOT).split("\\s+", -1);
    if (fields.length != 5) {
      throw StapesException.invalid(
          "schedule", "must have five fields, such as 0 6 * * mon: \"" + text + "\"");
    }
    BitSet weekdays = new Field("day of the week", 0, SUNDAY, WEEKDAYS).parse(fields[4]);
    if (weekdays.get(SUNDAY)) {
      weekdays.clear(SUNDAY);
      weekdays.set(0);
    }
    return new CronTime(
        new Field("minute", 0, 59, List.of()).parse(fields[0]),
        new Field("hour", 0, 23, List.of()).parse(fields[1]),
        new Field("day of the month", 1, 31, List.of()).parse(fields[2]),
        new Field("month", 1, 12, MONTHS).parse(fields[3]),
        weekdays,
        isAny(fields[2]),
        isAny(fields[4]));
  }

  private static boolean isAny(String field) {
    return field.startsWith("*") || field.startsWith("?");
  }

  /**
   * The first of the times behind a moment; empty where there is none. What a clock that is put
   * forward leaves out comes when it goes on; what comes twice where it is put back comes once.
   */
  Optional<ZonedDateTime> next(ZonedDateTime after) {
    LocalDate first = after.toLocalDate();
    for (int i = 0; i < DAYS; i++) {
      LocalDate date = first.plusDays(i);
      if (!isDay(date)) {
        continue;
      }
      for (int hour = hours.nextSetBit(0); hour >= 0; hour = hours.nextSetBit(hour + 1)) {
        for (int minute = minutes.nextSetBit(0);
            minute >= 0;
            minute = minutes.nextSetBit(minute + 1)) {
          ZonedDateTime at =
              LocalDateTime.of(date, LocalTime.of(hour, minute)).atZone(after.getZone());
          if (at.toInstant().isAfter(after.toInstant())) {
            return Optional.of(at);
          }
        }
      }
    }
    return Optional.empty();
  }

  private boolean isDay(LocalDate date) {
    DayOfWeek weekday = date.getDayOfWeek();
    boolean either = !anyDay && !anyWeekday;
    boolean byMonth = days.get(date.getDayOfMonth());
    boolean byWeek = weekdays.get(weekday.getValue() % SUNDAY);
    return months.get(date.getMonthValue()) && (either ? byMonth || byWeek : byMonth && byWeek);
  }

  /** One of the five. */
  private record Field(String name, int least, int most, List<String> names) {
    BitSet parse(String text) {
      BitSet all = new BitSet();
      for (String part : text.split(",", -1)) {
        add(part, all);
      }
      return all;
    }

    private void add(String part, BitSet all) {
      int slash = part.indexOf('/');
      String range = slash < 0 ? part : part.substring(0, slash);
      int step = slash < 0 ? 1 : number(part.substring(slash + 1), part);
      int from = least;
      int to = most;
      if (!range.equals("*") && !range.equals("?")) {
        int dash = range.indexOf('-');
        from = value(dash < 0 ? range : range.substring(0, dash), part);
        to = dash < 0 ? (slash < 0 ? from : most) : value(range.substring(dash + 1), part);
      }
      if (step < 1 || from < least || to > most || from > to) {
        throw wrong(part);
      }
      for (int i = from; i <= to; i += step) {
        all.set(i);
      }
    }

    private int value(String text, String part) {
      int name = text.isEmpty() ? -1 : names.indexOf(text);
      return name >= 0 ? name : number(text, part);
    }

    private int number(String text, String part) {
      if (!text.matches("\\d{1,4}")) {
        throw wrong(part);
      }
      return Integer.parseInt(text);
    }

    private StapesException wrong(String part) {
      return StapesException.invalid(
          "schedule", name + " must be of " + least + " to " + most + ": \"" + part + "\"");
    }
  }
}
