package dev.stapes.benchmarks.storage;

import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import dev.stapes.benchmarks.Statistics;
import java.util.Arrays;
import java.util.List;

/**
 * What a subject took at a point.
 *
 * @param path its label
 * @param at how many snapshots or threads; 0 where the path is no series
 * @param subject its name
 * @param unit of all numbers
 * @param median of the samples
 * @param low what a tenth of the samples do not exceed
 * @param high what nine tenths do not exceed
 * @param samples in the order in which they were taken, the warm-up left out
 */
@JsonPropertyOrder({"path", "at", "subject", "unit", "median", "low", "high", "samples"})
record Measurement(
    String path,
    int at,
    String subject,
    String unit,
    double median,
    double low,
    double high,
    List<Double> samples) {
  /** Copies. */
  Measurement {
    samples = List.copyOf(samples);
  }

  /**
   * Out of times.
   *
   * @param work see {@link Unit#of}
   */
  static Measurement of(Point point, String subject, long[] nanos, long work) {
    Unit unit = point.path().unit();
    double[] samples =
        Arrays.stream(nanos).mapToDouble(each -> rounded(unit.of(each, work))).toArray();
    return new Measurement(
        point.path().label(),
        point.at(),
        subject,
        unit.symbol(),
        rounded(Statistics.median(samples)),
        Statistics.percentile(samples, 10),
        Statistics.percentile(samples, 90),
        Arrays.stream(samples).boxed().toList());
  }

  /** To a thousandth: a microsecond where it is milliseconds. */
  private static double rounded(double figure) {
    return Math.round(figure * 1e3) / 1e3;
  }
}
