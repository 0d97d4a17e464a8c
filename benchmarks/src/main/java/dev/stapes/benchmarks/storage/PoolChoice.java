package dev.stapes.benchmarks.storage;

import dev.stapes.model.ConfigKey;
import dev.stapes.model.PoolSpec;
import dev.stapes.spi.StorageDriverProvider;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * A pool that takes part.
 *
 * @param name in the results: that of the driver, with a number from the second one on
 * @param provider its driver
 * @param spec with the options that were given
 */
record PoolChoice(String name, StorageDriverProvider provider, PoolSpec spec) {
  static final List<String> USUAL = List.of("btrfs", "dir", "overlay");

  /** Before a key, so that values may have colons. */
  private static final String BEFORE_KEY = ":(?=[a-z][a-z0-9_.]*=)";

  /**
   * Reads what is wanted.
   *
   * @param words such as {@code dir} or {@code btrfs:source=/dev/vdb:btrfs.mount_options=nobarrier}
   * @throws IllegalArgumentException quoting what is wrong
   */
  static List<PoolChoice> parse(List<String> words) {
    Map<String, StorageDriverProvider> providers =
        ServiceLoader.load(StorageDriverProvider.class).stream()
            .map(ServiceLoader.Provider::get)
            .collect(
                Collectors.toMap(each -> each.name(), each -> each, (a, b) -> a, TreeMap::new));
    Map<String, Integer> seen = new HashMap<>();
    List<PoolChoice> choices = new ArrayList<>();
    for (String word : words) {
      String[] parts = word.split(BEFORE_KEY, -1);
      StorageDriverProvider provider = providers.get(parts[0]);
      if (provider == null) {
        throw new IllegalArgumentException(
            "no storage driver \"" + parts[0] + "\": one of " + providers.keySet());
      }
      int number = seen.merge(parts[0], 1, Integer::sum);
      String name = number == 1 ? parts[0] : parts[0] + "-" + number;
      choices.add(new PoolChoice(name, provider, spec(name, provider, parts)));
    }
    return choices;
  }

  private static PoolSpec spec(String name, StorageDriverProvider provider, String[] parts) {
    List<String> known = provider.poolKeys().stream().map(ConfigKey::name).toList();
    PoolSpec spec = PoolSpec.of(name, provider.name());
    for (int i = 1; i < parts.length; i++) {
      int equals = parts[i].indexOf('=');
      String key = parts[i].substring(0, equals);
      if (!known.contains(key)) {
        throw new IllegalArgumentException(
            "pool " + name + " has no option \"" + key + "\": one of " + known);
      }
      spec = spec.with(key, parts[i].substring(equals + 1));
    }
    return spec;
  }

  /** Whether it is in a file or directory of the run's own. */
  boolean isOwn() {
    return !spec.config().values().containsKey("source");
  }

  /** As it was asked for. */
  @Override
  public String toString() {
    return spec.driver()
        + spec.config().values().entrySet().stream()
            .map(each -> ":" + each.getKey() + "=" + each.getValue())
            .collect(Collectors.joining());
  }
}
