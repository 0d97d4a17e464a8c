package dev.stapes.benchmarks.storage;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Where numbers of 0 or more are on a line.
 *
 * @param least at its begin; 0 where it is linear
 * @param most at its end, more than that
 * @param logarithmic whether equal ratios are equally long
 * @param pixels its length
 */
record Axis(double least, double most, boolean logarithmic, double pixels) {
  private static final int TICKS = 5;

  private static final double THOUSANDS = 10_000;

  /** From how many times the least on small numbers would not be seen on a linear one. */
  private static final double WIDE = 30;

  /** One that all of some numbers fit on, of whatever kind shows them best. */
  static Axis over(List<Double> numbers, double pixels) {
    double most = numbers.stream().mapToDouble(each -> each).max().orElse(1);
    double least =
        numbers.stream().mapToDouble(each -> each).filter(each -> each > 0).min().orElse(most);
    if (most <= 0) {
      return new Axis(0, 1, false, pixels);
    }
    return most / least > WIDE
        ? new Axis(
            Math.pow(10, Math.floor(Math.log10(least))),
            Math.pow(10, Math.ceil(Math.log10(most))),
            true,
            pixels)
        : linear(most, pixels);
  }

  /** One from 0 on. */
  static Axis linear(double most, double pixels) {
    double step = step(most);
    return new Axis(0, Math.ceil(most / step - 1e-9) * step, false, pixels);
  }

  private static double step(double most) {
    double rough = most / TICKS;
    double power = Math.pow(10, Math.floor(Math.log10(rough)));
    double digit = rough / power;
    return (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10) * power;
  }

  /** How far from the begin a number is. */
  double at(double number) {
    double part =
        logarithmic
            ? Math.log(Math.max(number, least) / least) / Math.log(most / least)
            : (number - least) / (most - least);
    return Math.max(0, Math.min(1, part)) * pixels;
  }

  /** What is written on it. */
  List<Double> ticks() {
    List<Double> ticks = new ArrayList<>();
    if (logarithmic) {
      for (double tick = least; tick <= most * 1.001; tick *= 10) {
        ticks.add(tick);
      }
    } else {
      double step = step(most);
      for (int i = 0; i * step <= most * 1.001; i++) {
        ticks.add(i * step);
      }
    }
    return ticks;
  }

  /** A tick in words, as short as it can be said, and all alike. */
  String say(double tick) {
    if (tick == 0) {
      return "0";
    }
    return !logarithmic && most >= THOUSANDS ? decimals(tick / 1000) + "k" : decimals(tick);
  }

  /** All of a linear axis have as many digits behind the point as its first one. */
  private String decimals(double number) {
    double first = logarithmic ? number : ticks().get(1) / (most >= THOUSANDS ? 1000 : 1);
    int decimals = (int) Math.max(0, -Math.floor(Math.log10(first) + 1e-9));
    return String.format(Locale.ROOT, "%." + decimals + "f", number);
  }

  /** A coordinate. */
  static String pixel(double coordinate) {
    return String.format(Locale.ROOT, "%.1f", coordinate);
  }
}
