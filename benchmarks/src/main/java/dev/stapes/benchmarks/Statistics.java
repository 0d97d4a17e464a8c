package dev.stapes.benchmarks;

import java.util.Arrays;

/** Figures of samples. */
public final class Statistics {
  private Statistics() {}

  /**
   * What half of the samples are below: the middle one, or the mean of the two middle ones.
   *
   * @throws IllegalArgumentException where there is no sample
   */
  public static double median(long[] samples) {
    return median(Arrays.stream(samples).asDoubleStream().toArray());
  }

  /** The same of samples that are no whole numbers. */
  public static double median(double[] samples) {
    double[] sorted = sorted(samples);
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }

  /**
   * The smallest sample that at least so many percent of the samples do not exceed.
   *
   * @param percent 1 to 100
   * @throws IllegalArgumentException where there is no sample, or for another percentage
   */
  public static long percentile(long[] samples, int percent) {
    return (long) percentile(Arrays.stream(samples).asDoubleStream().toArray(), percent);
  }

  /** The same of samples that are no whole numbers. */
  public static double percentile(double[] samples, int percent) {
    if (percent < 1 || percent > 100) {
      throw new IllegalArgumentException("not a percentage: " + percent);
    }
    double[] sorted = sorted(samples);
    int rank = (int) Math.ceil(percent / 100.0 * sorted.length);
    return sorted[rank - 1];
  }

  private static double[] sorted(double[] samples) {
    if (samples.length == 0) {
      throw new IllegalArgumentException("no samples");
    }
    double[] sorted = samples.clone();
    Arrays.sort(sorted);
    return sorted;
  }
}
