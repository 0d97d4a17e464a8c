package dev.stapes.spi;

import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A program to run to its end.
 *
 * @param arguments program (a name to be looked up, or an absolute path) and arguments; copied
 * @param environment on top of PATH and {@code LC_ALL=C}; copied
 * @param timeout after which it is killed
 */
public record Command(
    List<String> arguments, SortedMap<String, String> environment, Duration timeout) {
  private static final Duration USUAL = Duration.ofMinutes(2);

  /** Copies; refuses an empty command. */
  public Command {
    arguments = List.copyOf(arguments);
    environment = Collections.unmodifiableSortedMap(new TreeMap<>(environment));
    if (arguments.isEmpty()) {
      throw new IllegalArgumentException("no program");
    }
  }

  /** With a timeout of two minutes. */
  public static Command of(String... arguments) {
    return new Command(List.of(arguments), new TreeMap<>(), USUAL);
  }

  /** The same with another timeout. */
  public Command timeout(Duration limit) {
    return new Command(arguments, environment, limit);
  }

  /** The same with more environment. */
  public Command environment(Map<String, String> variables) {
    TreeMap<String, String> merged = new TreeMap<>(environment);
    merged.putAll(variables);
    return new Command(arguments, merged, timeout);
  }
}
