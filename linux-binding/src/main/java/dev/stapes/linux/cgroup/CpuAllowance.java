package dev.stapes.linux.cgroup;

import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * How much CPU time a group gets: {@code limits.cpu.allowance} with {@code limits.cpu.priority}.
 *
 * @param percent its share under load, in percent of one full share; 100 is what everybody has
 * @param priority 0 to 10 (the default): breaks ties between groups of the same share
 * @param quota the hard limit, or null for none
 */
public record CpuAllowance(int percent, int priority, @Nullable Quota quota) {
  /** What a group has that nobody limited. */
  public static final CpuAllowance DEFAULT = new CpuAllowance(100, 10, null);

  private static final Pattern PERCENT = Pattern.compile("(\\d{1,6})%");
  private static final Pattern TIME = Pattern.compile("(\\d{1,9})(?:ms)?/(\\d{1,9})(?:ms)?");

  /** Checks the ranges. */
  public CpuAllowance {
    if (percent < 0 || percent > 10_000) {
      throw new IllegalArgumentException(
          "invalid CPU allowance \"" + percent + "%\": not within 0%-10000%");
    }
    if (priority < 0 || priority > 10) {
      throw new IllegalArgumentException("invalid CPU priority " + priority + ": not within 0-10");
    }
  }

  /**
   * So much CPU time in every period; more than a period's length is more than one CPU.
   *
   * @param time 1 ms and more
   * @param period 1 ms to 1 s
   */
  public record Quota(Duration time, Duration period) {
    /** Checks the kernel's ranges. */
    public Quota {
      if (time.compareTo(Duration.ofMillis(1)) < 0
          || time.compareTo(Duration.ofDays(1)) > 0
          || period.compareTo(Duration.ofMillis(1)) < 0
          || period.compareTo(Duration.ofSeconds(1)) > 0) {
        throw new IllegalArgumentException(
            "invalid CPU quota \""
                + time.toMillis()
                + "ms/"
                + period.toMillis()
                + "ms\": the time must be at least 1ms, the period within 1ms-1000ms");
      }
    }

    long timeMicros() {
      return time.toNanos() / 1000;
    }

    long periodMicros() {
      return period.toNanos() / 1000;
    }
  }

  /**
   * Parses the values of Incus.
   *
   * @param allowance {@code 50%} (a share, felt only under load) or {@code 25ms/100ms} (a hard
   *     limit); empty is 100%
   * @param priority 0 to 10
   * @throws IllegalArgumentException if it is neither or out of range; the message quotes the value
   */
  public static CpuAllowance parse(String allowance, int priority) {
    if (allowance.isEmpty()) {
      return new CpuAllowance(100, priority, null);
    }
    Matcher percent = PERCENT.matcher(allowance);
    if (percent.matches()) {
      return new CpuAllowance(Integer.parseInt(percent.group(1)), priority, null);
    }
    Matcher time = TIME.matcher(allowance);
    if (time.matches()) {
      Quota quota =
          new Quota(
              Duration.ofMillis(Integer.parseInt(time.group(1))),
              Duration.ofMillis(Integer.parseInt(time.group(2))));
      return new CpuAllowance(100, priority, quota);
    }
    throw new IllegalArgumentException(
        "invalid CPU allowance \""
            + allowance
            + "\": neither a percentage such as 50% nor a time such as 25ms/100ms");
  }

  /**
   * Returns {@code cpu.shares} of v1, where a full share is 1024. The kernel takes nothing below 2.
   */
  int shares() {
    return Math.max(2, (int) (1024L * percent / 100) - (10 - priority));
  }

  /** Returns {@code cpu.weight} of v2, where a full share is 100. The kernel takes 1 to 10000. */
  int weight() {
    return Math.max(1, percent - (10 - priority));
  }
}
