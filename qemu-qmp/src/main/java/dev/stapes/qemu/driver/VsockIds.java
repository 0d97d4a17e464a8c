package dev.stapes.qemu.driver;

import dev.stapes.model.Config;
import dev.stapes.model.StapesException;
import dev.stapes.spi.TakenException;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
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

  private static final String CLASH = "unable to set guest cid: Address already in use";

  private final long first;

  /** Those that the kernel has given to a guest of somebody else, as far as is known. */
  private final Set<Long> foreign = ConcurrentHashMap.newKeySet();

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
    if (own.isPresent() && isOurs(own.getAsLong()) && isFree(own.getAsLong(), taken)) {
      return Map.of();
    }
    long id = first;
    while (!isFree(id, taken)) {
      id++;
    }
    return Map.of(KEY, text(id));
  }

  private boolean isFree(long id, Set<String> taken) {
    return !foreign.contains(id) && !taken.contains(text(id));
  }

  /** From now on nobody gets one that is somebody else's: two root directories may have a block. */
  void avoid(Config config) {
    of(config).ifPresent(foreign::add);
  }

  /**
   * The error of a QEMU that did not start because another guest has its id, if that was so.
   *
   * @param complaint of QEMU
   */
  static Optional<StapesException> taken(
      String subject, VmPlan plan, String complaint, Exception cause) {
    return plan.vsockId().isPresent() && complaint.contains(CLASH)
        ? Optional.of(
            new TakenException(
                subject,
                "another guest of the host has " + KEY + ": " + plan.vsockId().getAsLong(),
                cause))
        : Optional.empty();
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
