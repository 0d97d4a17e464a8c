package dev.stapes.benchmarks;

import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A command line that consists of options with a value each. */
public final class Arguments {
  private final Map<String, String> values;

  private Arguments(Map<String, String> values) {
    this.values = values;
  }

  /**
   * Reads it. Of an option that comes twice the last one counts.
   *
   * @param options those for people, which a complaint names
   * @param more those that the script gives
   * @throws IllegalArgumentException quoting what is wrong
   */
  public static Arguments parse(List<String> options, List<String> more, String... arguments) {
    Deque<String> left = new ArrayDeque<>(List.of(arguments));
    Map<String, String> values = new HashMap<>();
    while (!left.isEmpty()) {
      String option = left.pop();
      if (!options.contains(option) && !more.contains(option)) {
        throw new IllegalArgumentException(
            "unknown option \"" + option + "\": " + String.join(", ", options));
      }
      String value = left.poll();
      if (value == null) {
        throw new IllegalArgumentException(option + " needs a value");
      }
      values.put(option, value);
    }
    return new Arguments(values);
  }

  /** A path that was given. */
  public Optional<Path> path(String option) {
    return Optional.ofNullable(values.get(option)).map(Path::of);
  }

  /**
   * A number of 1 or more.
   *
   * @param usual where none was given
   * @throws IllegalArgumentException quoting what is wrong
   */
  public int count(String option, int usual) {
    String value = values.get(option);
    if (value == null) {
      return usual;
    }
    int count;
    try {
      count = Integer.parseInt(value);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(option + " must be a number: " + value, e);
    }
    if (count < 1) {
      throw new IllegalArgumentException(option + " must be at least 1: " + value);
    }
    return count;
  }

  /**
   * The paths of {@code --paths}, in the order given; all where the option was not given.
   *
   * @throws IllegalArgumentException naming those that there are
   */
  public <E extends Enum<E> & Labelled> List<E> paths(Class<E> paths) {
    return words("--paths")
        .map(labels -> labels.stream().map(label -> Labelled.of(paths, label)).toList())
        .orElseGet(() -> List.of(paths.getEnumConstants()));
  }

  /** What was given, as it is. */
  public Optional<String> word(String option) {
    return Optional.ofNullable(values.get(option));
  }

  /**
   * A whole number of any size.
   *
   * @param usual where none was given
   * @throws IllegalArgumentException quoting what is wrong
   */
  public long number(String option, long usual) {
    String value = values.get(option);
    if (value == null) {
      return usual;
    }
    try {
      return Long.parseLong(value);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(option + " must be a number: " + value, e);
    }
  }

  /** Words separated by commas; empty where the option was not given. */
  public Optional<List<String>> words(String option) {
    return Optional.ofNullable(values.get(option))
        .map(value -> Arrays.stream(value.split(",", -1)).map(String::strip).toList());
  }
}
