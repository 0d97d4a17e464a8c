package dev.stapes.benchmarks.storage;

import static dev.stapes.benchmarks.storage.Axis.pixel;

import dev.stapes.benchmarks.Markdown;
import java.util.List;

/** A bar for each subject, with a line from the tenth below to the tenth above. */
final class BarChart {
  private static final int ROW = 26;
  private static final int BAR = 14;
  private static final int LETTER = 7;
  private static final int PLOT = 600;
  private static final int AXIS = 26;
  private static final int VALUE = 110;

  private BarChart() {}

  /**
   * Draws it.
   *
   * @param subjects of the whole report, whose place in it is their colour
   * @param shown those with a number here, one at least
   */
  static Markup of(String title, String unit, List<String> subjects, List<Measurement> shown) {
    int longest = subjects.stream().mapToInt(String::length).max().orElse(0);
    int left = longest * LETTER + 16;
    int height = shown.size() * ROW + AXIS;
    int width = left + PLOT + VALUE;
    Axis axis = Axis.linear(shown.stream().mapToDouble(Measurement::high).max().orElse(1), PLOT);
    Markup svg = new Markup();
    svg.openPicture(title, width, height);
    grid(svg, axis, left, height - AXIS, unit);
    for (int i = 0; i < shown.size(); i++) {
      Measurement each = shown.get(i);
      bar(svg, axis, left, i * ROW, subjects.indexOf(each.subject()), each);
    }
    return svg.close();
  }

  private static void grid(Markup svg, Axis axis, int left, int bottom, String unit) {
    List<Double> ticks = axis.ticks();
    for (int i = 0; i < ticks.size(); i++) {
      String x = pixel(left + axis.at(ticks.get(i)));
      svg.leaf(
          "line", "class", "grid", "x1", x, "x2", x, "y1", "0", "y2", Integer.toString(bottom));
      boolean last = i == ticks.size() - 1;
      svg.element(
          "text",
          axis.say(ticks.get(i)) + (last ? " " + unit : ""),
          "class",
          "tick",
          "text-anchor",
          "middle",
          "x",
          x,
          "y",
          Integer.toString(bottom + 16));
    }
  }

  private static void bar(Markup svg, Axis axis, int left, int top, int colour, Measurement each) {
    double middle = top + ROW / 2.0;
    svg.element(
        "text",
        each.subject(),
        "text-anchor",
        "end",
        "x",
        Integer.toString(left - 8),
        "y",
        pixel(middle + 4));
    svg.leaf(
        "rect",
        "class",
        Palette.fill(colour),
        "x",
        Integer.toString(left),
        "y",
        pixel(middle - BAR / 2.0),
        "width",
        pixel(Math.max(1, axis.at(each.median()))),
        "height",
        Integer.toString(BAR));
    svg.leaf(
        "line",
        "class",
        "spread",
        "x1",
        pixel(left + axis.at(each.low())),
        "x2",
        pixel(left + axis.at(each.high())),
        "y1",
        pixel(middle),
        "y2",
        pixel(middle));
    svg.element(
        "text",
        Markdown.number(each.median()) + " " + each.unit(),
        "class",
        "value",
        "x",
        pixel(left + axis.at(Math.max(each.high(), each.median())) + 8),
        "y",
        pixel(middle + 4));
  }
}
