package dev.stapes.benchmarks.storage;

import static dev.stapes.benchmarks.storage.Axis.pixel;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** A line for each subject over numbers of snapshots or threads, which are equally far apart. */
final class LineChart {
  private static final int LEFT = 56;
  private static final int TOP = 12;
  private static final int PLOT_WIDTH = 700;
  private static final int PLOT_HEIGHT = 230;
  private static final int BOTTOM = 44;
  private static final int RIGHT = 24;

  private final List<Integer> places;
  private final Axis axis;
  private final Markup svg = new Markup();

  private LineChart(List<Integer> places, Axis axis) {
    this.places = places;
    this.axis = axis;
  }

  /**
   * Draws it.
   *
   * @param across what the numbers along the bottom are of
   * @param subjects of the whole report, whose place in it is their colour
   * @param all of one path, one at least
   */
  static Markup of(String title, String across, List<String> subjects, List<Measurement> all) {
    List<Double> numbers = new ArrayList<>();
    for (Measurement each : all) {
      numbers.addAll(List.of(each.low(), each.median(), each.high()));
    }
    List<Integer> places = all.stream().map(Measurement::at).distinct().sorted().toList();
    LineChart chart = new LineChart(places, Axis.over(numbers, PLOT_HEIGHT));
    return chart.draw(title, across, subjects, all);
  }

  private Markup draw(String title, String across, List<String> subjects, List<Measurement> all) {
    int width = LEFT + PLOT_WIDTH + RIGHT;
    int height = TOP + PLOT_HEIGHT + BOTTOM;
    svg.openPicture(title, width, height);
    grid(across);
    for (int i = 0; i < subjects.size(); i++) {
      String subject = subjects.get(i);
      line(i, all.stream().filter(each -> each.subject().equals(subject)).toList());
    }
    return svg.close();
  }

  private double x(int at) {
    int index = places.indexOf(at);
    return places.size() == 1
        ? LEFT + PLOT_WIDTH / 2.0
        : LEFT + 20 + index * (PLOT_WIDTH - 40.0) / (places.size() - 1);
  }

  private double y(double number) {
    return TOP + PLOT_HEIGHT - axis.at(number);
  }

  private void grid(String across) {
    for (double tick : axis.ticks()) {
      String y = pixel(y(tick));
      svg.leaf(
          "line",
          "class",
          "grid",
          "x1",
          Integer.toString(LEFT),
          "x2",
          Integer.toString(LEFT + PLOT_WIDTH),
          "y1",
          y,
          "y2",
          y);
      label(axis.say(tick), "end", LEFT - 8.0, y(tick) + 4);
    }
    for (int place : places) {
      String text = String.format(Locale.ROOT, "%,d", place);
      label(text, "middle", x(place), TOP + PLOT_HEIGHT + 18.0);
    }
    label(across, "middle", LEFT + PLOT_WIDTH / 2.0, TOP + PLOT_HEIGHT + 36.0);
  }

  private void label(String text, String anchor, double x, double y) {
    svg.element("text", text, "class", "tick", "text-anchor", anchor, "x", pixel(x), "y", pixel(y));
  }

  private void line(int colour, List<Measurement> own) {
    StringBuilder points = new StringBuilder();
    for (Measurement each : own) {
      points.append(pixel(x(each.at()))).append(',').append(pixel(y(each.median()))).append(' ');
    }
    if (own.size() > 1) {
      svg.leaf("polyline", "class", Palette.stroke(colour), "points", points.toString().strip());
    }
    for (Measurement each : own) {
      String x = pixel(x(each.at()));
      svg.leaf(
          "line",
          "class",
          Palette.stroke(colour),
          "x1",
          x,
          "x2",
          x,
          "y1",
          pixel(y(each.low())),
          "y2",
          pixel(y(each.high())));
      svg.leaf(
          "circle",
          "class",
          Palette.fill(colour),
          "cx",
          x,
          "cy",
          pixel(y(each.median())),
          "r",
          "3.5");
    }
  }
}
