package dev.stapes.qemu.driver;

import dev.stapes.model.Config;
import java.util.Collection;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The context ids by which guests are known to the vsock(7) of the host. The kernel knows each one
 * once, whoever starts a guest: they are far above those that others count up from 3.
 */
final class VsockIds {
  /** The one that an instance was given, as Incus calls it. */
  static final String KEY = "volatile.vsock_id";

  private static final long FIRST = 1_000_000L;
  private static final int BLOCKS = 40_000;
  private static final int IN_BLOCK = 100_000;

  private final long first;

  /**
   * Those of a root directory.
   *
   * @param tag which no other one of this machine has
   */
  VsockIds(String tag) {
    this.first = FIRST + (long) Math.floorMod(tag.hashCode(), BLOCKS) * IN_BLOCK;
  }

  /** Gives an instance one, unless it has one of this root directory that no other has. */
  Map<String, String> allocate(Config config, Collection<Config> others) {
    Set<String> taken =
        others.stream().flatMap(other -> other.text(KEY).stream()).collect(Collectors.toSet());
    OptionalLong own = of(config);
    if (own.isPresent() && isOurs(own.getAsLong()) && !taken.contains(text(own.getAsLong()))) {
      return Map.of();
    }
    long id = first;
    while (taken.contains(text(id))) {
      id++;
    }
    return Map.of(KEY, text(id));
  }

  private boolean isOurs(long id) {
    return id >= first && id < first + IN_BLOCK;
  }

  private static String text(long id) {
    return Long.toString(id);
  }

  /** That of an instance; one that was made before there were any has none. */
  static OptionalLong of(Config config) {
    return config
        .text(KEY)
        .filter(text -> text.matches("\\d{7,10}"))
        .map(Long::parseLong)
        .filter(id -> id >= FIRST && id < FIRST + (long) BLOCKS * IN_BLOCK)
        .map(OptionalLong::of)
        .orElse(OptionalLong.empty());
  }
}
