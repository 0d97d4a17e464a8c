package dev.stapes.model;

import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The config of an instance, pool or volume: texts by key, with typed access through {@link
 * ConfigKey}. Immutable. Keys that nobody declares survive.
 *
 * @param values sorted by key; copied
 */
public record Config(SortedMap<String, String> values) {
  private static final Config EMPTY = new Config(new TreeMap<>());

  /** Copies. */
  public Config {
    values = Collections.unmodifiableSortedMap(new TreeMap<>(values));
  }

  /** No keys at all. */
  public static Config empty() {
    return EMPTY;
  }

  /** These keys. */
  public static Config of(Map<String, String> values) {
    return values.isEmpty() ? EMPTY : new Config(new TreeMap<>(values));
  }

  /**
   * The value of a key: what is set, else its default, else empty.
   *
   * @throws StapesException INVALID where the text that is set does not parse
   */
  public <T> Optional<T> get(ConfigKey<T> key) {
    String text = values.get(key.name());
    return text == null ? key.defaultText().map(key::parse) : Optional.of(key.parse(text));
  }

  /** Whether a bool key is set, or is true by default. */
  public boolean isTrue(ConfigKey<Boolean> key) {
    return get(key).orElse(false);
  }

  /** The text of a key as it was set. */
  public Optional<String> text(String key) {
    return Optional.ofNullable(values.get(key));
  }

  /** The keys that start with a prefix, without it: {@code environment.} gives variable names. */
  public SortedMap<String, String> family(String prefix) {
    SortedMap<String, String> members = new TreeMap<>();
    values
        .tailMap(prefix)
        .forEach(
            (key, value) -> {
              if (key.startsWith(prefix) && key.length() > prefix.length()) {
                members.put(key.substring(prefix.length()), value);
              }
            });
    return members;
  }

  /** This config with other keys laid over it; an empty value removes its key, as in Incus. */
  public Config with(Map<String, String> changes) {
    TreeMap<String, String> merged = new TreeMap<>(values);
    changes.forEach(
        (key, value) -> {
          if (value.isEmpty()) {
            merged.remove(key);
          } else {
            merged.put(key, value);
          }
        });
    return new Config(merged);
  }

  /** This config with one key more; an empty value removes it. */
  public Config with(String key, String value) {
    return with(Map.of(key, value));
  }
}
