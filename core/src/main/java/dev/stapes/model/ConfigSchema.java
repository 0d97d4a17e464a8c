package dev.stapes.model;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The keys that are valid in one place.
 *
 * @param keys copied; two declarations of one key are refused
 */
public record ConfigSchema(List<ConfigKey<?>> keys) {

  /** Copies and refuses a key that is declared twice. */
  public ConfigSchema {
    keys = List.copyOf(keys);
    List<String> seen = new ArrayList<>();
    for (ConfigKey<?> key : keys) {
      if (seen.contains(key.name())) {
        throw StapesException.invalid("config key " + key.name(), "declared twice");
      }
      seen.add(key.name());
    }
  }

  /** These keys and some more. */
  public ConfigSchema and(Collection<? extends ConfigKey<?>> more) {
    List<ConfigKey<?>> all = new ArrayList<>(keys);
    all.addAll(more);
    return new ConfigSchema(all);
  }

  /** The declaration of a key: the exact one before a family. */
  public Optional<ConfigKey<?>> find(String key) {
    Optional<ConfigKey<?>> family = Optional.empty();
    for (ConfigKey<?> candidate : keys) {
      if (candidate.declares(key)) {
        if (!candidate.isFamily()) {
          return Optional.of(candidate);
        }
        family = Optional.of(candidate);
      }
    }
    return family;
  }

  /**
   * Checks each key and value.
   *
   * @param subject for the error, such as {@code instance web}
   * @throws StapesException INVALID at the first unknown key or bad value
   */
  public void validate(String subject, Map<String, String> values) {
    values.forEach(
        (key, value) -> {
          ConfigKey<?> declaration =
              find(key)
                  .orElseThrow(
                      () -> StapesException.invalid(subject, "unknown config key \"" + key + "\""));
          if (!value.isEmpty()) {
            declaration.parseAs(key, value);
          }
        });
  }
}
