package dev.stapes.benchmarks.storage;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import dev.stapes.benchmarks.Labelled;
import dev.stapes.benchmarks.Markdown;
import dev.stapes.benchmarks.Row;
import dev.stapes.benchmarks.Verdict;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * All that a run found out.
 *
 * @param seed of all content and of random I/O
 * @param interrupted whether it ended before its time
 * @param facts machine, versions and the like, in order
 * @param subjects in order
 * @param measurements point by point
 * @param notAvailable what a subject cannot do, with the reason, as "subject on path"
 * @param failures what failed, with the reason
 */
@JsonPropertyOrder({"seed", "interrupted", "facts", "subjects", "measurements"})
record Results(
    long seed,
    boolean interrupted,
    Map<String, String> facts,
    List<String> subjects,
    List<Measurement> measurements,
    @JsonProperty("not_available") Map<String, String> notAvailable,
    Map<String, String> failures) {
  private static final double MOST_OF_BARE = 1.15;
  private static final double MOST_OF_FEW = 1.5;

  /** Of the time that it takes one after the other. */
  private static final double MOST_OF_ONE_BY_ONE = 0.1;

  /** Of the time that it takes one after the other, by commands. */
  private static final double MOST_OF_SINGLE_CLONES = 0.2;

  /** What says that a run is not all of one. */
  static final String CUT_SHORT = "This run was interrupted: what it had measured until then.";

  /** A subject at a point. */
  Optional<Measurement> find(Point point, String subject) {
    return measurements.stream()
        .filter(each -> each.path().equals(point.path().label()) && each.at() == point.at())
        .filter(each -> each.subject().equals(subject))
        .findFirst();
  }

  /** The points at which there is a measurement. */
  List<Point> points() {
    Set<Point> points = new LinkedHashSet<>();
    for (Measurement each : measurements) {
      points.add(new Point(Labelled.of(StoragePath.class, each.path()), each.at()));
    }
    return List.copyOf(points);
  }

  /** Why there is no number of a subject at a point, in a word. */
  String absence(Point point, String subject) {
    String key = key(subject, point);
    return notAvailable.containsKey(key) || notAvailable.containsKey(subject)
        ? "n/a"
        : failures.containsKey(key) ? "failed" : "-";
  }

  /** What {@link #notAvailable} and {@link #failures} call a subject at a point. */
  static String key(String subject, Point point) {
    return subject + " on " + point.label();
  }

  /** As Markdown. */
  String report() {
    Markdown text = new Markdown("Storage pools", facts);
    if (interrupted) {
      text.list("Not all of it", Map.of("Interrupted", CUT_SHORT));
    }
    text.title("Medians (a tenth is below, a tenth above)");
    List<List<String>> rows = new ArrayList<>();
    for (Point point : points()) {
      List<String> cells = new ArrayList<>();
      cells.add(point.label() + ", " + point.path().unit().symbol());
      for (String subject : subjects) {
        cells.add(find(point, subject).map(Results::cell).orElseGet(() -> absence(point, subject)));
      }
      rows.add(cells);
    }
    text.table("path", subjects, rows);
    List<Verdict> verdicts = verdicts();
    if (!verdicts.isEmpty()) {
      Verdict.section(text, verdicts);
    }
    text.list("Not available", notAvailable);
    text.list("Failed", failures);
    return text.toString();
  }

  private static String cell(Measurement each) {
    return Markdown.number(each.median())
        + " ("
        + Markdown.number(each.low())
        + " - "
        + Markdown.number(each.high())
        + ")";
  }

  /** Pools against their bare commands; and whether the cost of a snapshot is flat. */
  List<Verdict> verdicts() {
    List<Verdict> all = new ArrayList<>();
    List<Row> rows = rows();
    for (String subject : subjects) {
      String bare = subject + Baseline.SUFFIX;
      if (subjects.contains(bare)) {
        points().stream()
            .filter(point -> point.path().hasBareCommand() || isBatch(point))
            .filter(point -> find(point, subject).isPresent() && find(point, bare).isPresent())
            .forEach(
                point -> all.add(Verdict.ratio(rows, point.label(), subject, bare, mostOf(point))));
      }
    }
    series(StoragePath.SNAPSHOT, this::flat, all);
    series(StoragePath.CLONES, this::together, all);
    return all;
  }

  private interface Judge {
    Optional<Verdict> of(String subject, Point few, Point many);
  }

  private void series(StoragePath path, Judge judge, List<Verdict> all) {
    List<Point> points = points().stream().filter(point -> point.path() == path).toList();
    if (points.size() > 1) {
      for (String subject : subjects) {
        judge.of(subject, points.get(0), points.get(points.size() - 1)).ifPresent(all::add);
      }
    }
  }

  private static boolean isBatch(Point point) {
    return point.path() == StoragePath.DELETE_SNAPSHOTS;
  }

  private static double mostOf(Point point) {
    return isBatch(point) ? MOST_OF_ONE_BY_ONE : MOST_OF_BARE;
  }

  private Optional<Verdict> flat(String subject, Point few, Point many) {
    return bounded(
        many.label() + " of " + subject + " like " + few.label(),
        find(many, subject),
        find(few, subject),
        MOST_OF_FEW);
  }

  /** The times of as many clones: what is measured is how many there are in a second. */
  private Optional<Verdict> together(String subject, Point one, Point many) {
    String bare = subject + Baseline.SUFFIX;
    return bounded(
        many.label() + " of " + subject + " beside " + one.label() + " of " + bare,
        find(one, bare),
        find(many, subject),
        MOST_OF_SINGLE_CLONES);
  }

  private static Optional<Verdict> bounded(
      String what, Optional<Measurement> upper, Optional<Measurement> lower, double bound) {
    double least = lower.map(Measurement::median).orElse(0.0);
    if (upper.isEmpty() || least <= 0) {
      return Optional.empty();
    }
    double ratio = upper.get().median() / least;
    return Optional.of(
        Verdict.of(
            what,
            Markdown.number(ratio) + " x",
            "<= " + Markdown.number(bound) + " x",
            ratio <= bound));
  }

  private List<Row> rows() {
    return measurements.stream()
        .filter(each -> each.unit().equals(Unit.MILLISECONDS.symbol()))
        .map(
            each ->
                new Row(
                    each.at() == 0 ? each.path() : each.path() + "-" + each.at(),
                    each.subject(),
                    each.median(),
                    each.high(),
                    each.samples().size()))
        .toList();
  }
}
