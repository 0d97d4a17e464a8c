package dev.stapes.model;

import java.util.Optional;

/**
 * One declaration of a config key: everything that is known about it. Validation, typed access and
 * the reference table derive from it. A name that ends in {@code .*} declares a family of keys that
 * share a prefix.
 *
 * @param name Incus's name, such as {@code limits.memory} or {@code user.*}
 * @param type how its text is read
 * @param defaultText what holds where the key is absent, or empty where absence means nothing is
 *     set
 * @param live whether a change takes effect on a running instance
 * @param doc one sentence for the reference table
 */
public record ConfigKey<T>(
    String name, ConfigType<T> type, Optional<String> defaultText, boolean live, String doc) {

  /** A key without a default. */
  public static <T> ConfigKey<T> of(String name, ConfigType<T> type, boolean live, String doc) {
    return new ConfigKey<>(name, type, Optional.empty(), live, doc);
  }

  /** A key with a default. */
  public static <T> ConfigKey<T> of(
      String name, ConfigType<T> type, String defaultText, boolean live, String doc) {
    return new ConfigKey<>(name, type, Optional.of(defaultText), live, doc);
  }

  /**
   * Reads a value.
   *
   * @throws StapesException INVALID; the subject is {@code config key <name>} and the message
   *     quotes the text
   */
  public T parse(String text) {
    return parseAs(name, text);
  }

  /** Whether this declaration is the one of a key: the name itself or a member of its family. */
  public boolean declares(String key) {
    return isFamily()
        ? key.length() > prefix().length() && key.startsWith(prefix())
        : name.equals(key);
  }

  /** Whether the name ends in {@code .*}. */
  public boolean isFamily() {
    return name.endsWith(".*");
  }

  T parseAs(String key, String text) {
    try {
      return type.parse().apply(text);
    } catch (StapesException e) {
      String problem = e.getMessage();
      throw new StapesException(
          e.kind(), "config key " + key, problem == null ? "invalid" : problem, e);
    }
  }

  private String prefix() {
    return name.substring(0, name.length() - 1);
  }
}
