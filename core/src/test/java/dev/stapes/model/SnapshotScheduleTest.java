package dev.stapes.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Schedules of snapshots. */
class SnapshotScheduleTest {
  private static String next(String schedule, String after) {
    return SnapshotSchedule.parse(schedule)
        .next(ZonedDateTime.parse(after))
        .map(ZonedDateTime::toString)
        .orElse("never");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        // 2024-05-01 is a Wednesday
        "* * * * *          | 2024-05-01T12:00Z    | 2024-05-01T12:01Z",
        "0 6 * * *          | 2024-05-01T06:00Z    | 2024-05-02T06:00Z",
        "0 6 * * *          | 2024-05-01T05:59:59Z | 2024-05-01T06:00Z",
        "*/20 3-4 * * *     | 2024-05-01T03:25Z    | 2024-05-01T03:40Z",
        "*/20 3-4 * * *     | 2024-05-01T04:40Z    | 2024-05-02T03:00Z",
        "5,35 * * * *       | 2024-05-01T12:06Z    | 2024-05-01T12:35Z",
        "10/25 * * * *      | 2024-05-01T12:11Z    | 2024-05-01T12:35Z",
        "0 0 * * sun        | 2024-05-01T00:00Z    | 2024-05-05T00:00Z",
        "0 0 * * 7          | 2024-05-01T00:00Z    | 2024-05-05T00:00Z",
        "0 0 * * MON-FRI    | 2024-05-03T00:00Z    | 2024-05-06T00:00Z",
        "0 0 1 jan ?        | 2024-05-01T00:00Z    | 2025-01-01T00:00Z",
        "0 0 13 * fri       | 2024-05-01T00:00Z    | 2024-05-03T00:00Z",
        "0 0 29 2 *         | 2097-01-01T00:00Z    | 2104-02-29T00:00Z",
        "0 0 31 2,4 *       | 2024-05-01T00:00Z    | never",
        "@hourly            | 2024-05-01T12:00Z    | 2024-05-01T13:00Z",
        "@daily             | 2024-05-01T12:00Z    | 2024-05-02T00:00Z",
        "@midnight          | 2024-05-01T12:00Z    | 2024-05-02T00:00Z",
        "@weekly            | 2024-05-01T12:00Z    | 2024-05-05T00:00Z",
        "@monthly           | 2024-05-01T12:00Z    | 2024-06-01T00:00Z",
        "@annually          | 2024-05-01T12:00Z    | 2025-01-01T00:00Z",
        "@yearly            | 2024-05-01T12:00Z    | 2025-01-01T00:00Z",
        "'@monthly, @DAILY' | 2024-05-01T12:00Z    | 2024-05-02T00:00Z",
        "@never             | 2024-05-01T12:00Z    | never",
        "@startup           | 2024-05-01T12:00Z    | never",
      })
  void the_next_time_is_the_first_behind_a_moment(String schedule, String after, String wanted) {
    assertEquals(wanted, next(schedule, after));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * 32 * *",
        "* * * 13 *",
        "* * * * 8",
        "5-1 * * * *",
        "*/0 * * * *",
        "*/ * * * *",
        "1, * * * *",
        "-1 * * * *",
        "99999 * * * *",
        "* * * foo *",
        "@reboot",
        "@daily,",
        "@daily 0 6 * * *"
      })
  void what_is_no_schedule_is_refused(String text) {
    StapesException e = assertThrows(StapesException.class, () -> SnapshotSchedule.parse(text));
    assertEquals(StapesException.Kind.INVALID, e.kind());
    assertTrue(e.toString().contains("\""), e::toString);
  }

  @Test
  void a_start_is_no_time() {
    assertTrue(SnapshotSchedule.parse("@hourly, @startup").isAtStartup());
    assertFalse(SnapshotSchedule.parse("@hourly").isAtStartup());
  }

  @Test
  void each_day_has_its_snapshot_where_clocks_are_changed() {
    SnapshotSchedule schedule = SnapshotSchedule.parse("30 2 * * *");
    ZoneId berlin = ZoneId.of("Europe/Berlin");
    ZonedDateTime at = ZonedDateTime.of(2024, 3, 30, 12, 0, 0, 0, berlin);
    Optional<ZonedDateTime> left = schedule.next(at);
    assertEquals("2024-03-31T01:30Z", inUtc(left));
    assertEquals("2024-04-01T00:30Z", inUtc(schedule.next(left.orElseThrow())));
    ZonedDateTime october = ZonedDateTime.of(2024, 10, 26, 12, 0, 0, 0, berlin);
    Optional<ZonedDateTime> twice = schedule.next(october);
    assertEquals("2024-10-27T00:30Z", inUtc(twice));
    assertEquals("2024-10-28T01:30Z", inUtc(schedule.next(twice.orElseThrow())));
  }

  private static String inUtc(Optional<ZonedDateTime> at) {
    return at.orElseThrow().withZoneSameInstant(ZoneOffset.UTC).toString();
  }

  @Test
  void volumes_have_no_start() {
    StapesException e =
        assertThrows(
            StapesException.class,
            () -> VolumeSpec.of("data").config("snapshots.schedule", "@startup"));
    assertTrue(e.toString().contains("@startup"), e::toString);
    for (String good : List.of("@daily", "0 6 * * 1-5")) {
      VolumeSpec.of("data").config("snapshots.schedule", good);
    }
  }
}
