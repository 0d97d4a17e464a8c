package dev.stapes.benchmarks;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;

/**
 * A result: a subject on a path.
 *
 * @param path its label
 * @param subject its name
 * @param medianMs milliseconds
 * @param p90Ms milliseconds
 * @param n how many runs
 */
@JsonPropertyOrder({"path", "subject", "median_ms", "p90_ms", "n"})
public record Row(
    String path,
    String subject,
    @JsonProperty("median_ms") double medianMs,
    @JsonProperty("p90_ms") double p90Ms,
    int n) {
  /** The result of runs that took so many nanoseconds each, to the microsecond. */
  public static Row of(String path, String subject, long[] nanos) {
    return new Row(
        path,
        subject,
        rounded(Statistics.median(nanos)),
        rounded((double) Statistics.percentile(nanos, 90)),
        nanos.length);
  }

  private static double rounded(double nanos) {
    return Math.round(nanos / 1e3) / 1e3;
  }
}
