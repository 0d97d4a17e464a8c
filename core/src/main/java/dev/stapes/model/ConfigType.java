package dev.stapes.model;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

/**
 * How the text of a config value is read, and what it is called in the reference table.
 *
 * @param name Incus's name of the type: {@code string}, {@code bool}, {@code integer}, {@code size}
 * @param parse reads the text; throws a StapesException of kind INVALID that quotes it
 */
public record ConfigType<T>(String name, Function<String, T> parse) {
  /** Any text without control characters but tab. */
  public static final ConfigType<String> STRING =
      new ConfigType<>("string", text -> printable(text, false));

  /** Any text, several lines allowed. */
  public static final ConfigType<String> BLOB =
      new ConfigType<>("blob", text -> printable(text, true));

  /** {@code true false 1 0 yes no on off}, in any case. */
  public static final ConfigType<Boolean> BOOL = new ConfigType<>("bool", ConfigType::bool);

  /** A number of bytes, see {@link Size#parse}. */
  public static final ConfigType<Size> SIZE = new ConfigType<>("size", Size::parse);

  /** A whole number from {@code least} to {@code most}, both included. */
  public static ConfigType<Long> integer(long least, long most) {
    return new ConfigType<>("integer", text -> integer(text, least, most));
  }

  /** One of some words. */
  public static ConfigType<String> oneOf(String... words) {
    List<String> allowed = List.of(words);
    return new ConfigType<>(
        "string",
        text -> {
          if (!allowed.contains(text)) {
            throw StapesException.invalid(
                "value", "must be one of " + allowed + ": \"" + text + "\"");
          }
          return text;
        });
  }

  private static String printable(String text, boolean lines) {
    boolean bad =
        text.chars().anyMatch(c -> c != '\t' && !(lines && c == '\n') && Character.isISOControl(c));
    if (bad) {
      throw StapesException.invalid("value", "has control characters: \"" + escape(text) + "\"");
    }
    return text;
  }

  private static String escape(String text) {
    StringBuilder out = new StringBuilder();
    text.chars()
        .forEach(
            c ->
                out.append(
                    Character.isISOControl(c)
                        ? String.format(Locale.ROOT, "\\u%04x", c)
                        : String.valueOf((char) c)));
    return out.toString();
  }

  private static boolean bool(String text) {
    String word = text.toLowerCase(Locale.ROOT);
    if (Arrays.asList("true", "1", "yes", "on").contains(word)) {
      return true;
    }
    if (Arrays.asList("false", "0", "no", "off").contains(word)) {
      return false;
    }
    throw StapesException.invalid("value", "must be true or false: \"" + text + "\"");
  }

  private static long integer(String text, long least, long most) {
    try {
      long value = Long.parseLong(text);
      if (value >= least && value <= most) {
        return value;
      }
    } catch (NumberFormatException e) {
      // falls to the one error below, which quotes the text
    }
    throw StapesException.invalid(
        "value", "must be a whole number from " + least + " to " + most + ": \"" + text + "\"");
  }
}
