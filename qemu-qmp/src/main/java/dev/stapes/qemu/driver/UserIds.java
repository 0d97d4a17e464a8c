package dev.stapes.qemu.driver;

import dev.stapes.model.Config;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A user of its own for each virtual machine, so that none can do anything to another one. They are
 * numbers that nobody has: above those that distributions and systemd hand out.
 */
final class UserIds {
  /** The number that an instance was given. */
  static final String KEY = "volatile.qemu.uid";

  private static final long FIRST = 1_900_000_000L;
  private static final int BLOCKS = 1000;
  private static final int IN_BLOCK = 100_000;

  private final long first;

  /**
   * Those of a root directory.
   *
   * @param tag which no other one of this machine has
   */
  UserIds(String tag) {
    this.first = FIRST + (long) Math.floorMod(tag.hashCode(), BLOCKS) * IN_BLOCK;
  }

  /** Gives an instance a number, unless it has one that no other has. */
  Map<String, String> allocate(Config config, Collection<Config> others) {
    Set<String> taken =
        others.stream().flatMap(other -> other.text(KEY).stream()).collect(Collectors.toSet());
    if (config.text(KEY).filter(own -> isValid(own) && !taken.contains(own)).isPresent()) {
      return Map.of();
    }
    long id = first;
    while (taken.contains(Long.toString(id))) {
      id++;
    }
    Map<String, String> keys = new HashMap<>();
    keys.put(KEY, Long.toString(id));
    return keys;
  }

  /** The number of an instance. */
  long of(Config config) {
    return config.text(KEY).filter(UserIds::isValid).map(Long::parseLong).orElse(first);
  }

  /** One who tries what machines can do, and is none of theirs: the last that would be given. */
  long ofProbe() {
    return first + IN_BLOCK - 1;
  }

  /** The user of the TPM of a machine, to whom nothing else belongs, either. */
  static long ofTpm(long user) {
    return user + (long) BLOCKS * IN_BLOCK;
  }

  /** Whether a user may be that of a TPM. */
  static boolean isTpm(long user) {
    return contains(user - (long) BLOCKS * IN_BLOCK);
  }

  private static boolean isValid(String text) {
    return text.matches("\\d{10}") && contains(Long.parseLong(text));
  }

  /** Whether a user may be that of a virtual machine. */
  static boolean contains(long user) {
    return user >= FIRST && user < FIRST + (long) BLOCKS * IN_BLOCK;
  }
}
