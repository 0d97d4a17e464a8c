package dev.stapes.lxc.driver;

import dev.stapes.lxc.IsolatedIds;
import dev.stapes.lxc.RawIdMap;
import dev.stapes.lxc.SubordinateIds;
import dev.stapes.model.Config;
import dev.stapes.model.IdMapping;
import dev.stapes.model.StapesException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The id maps of instances, as Incus means their keys.
 *
 * @param all what this machine gives away
 */
record IdMaps(SubordinateIds all) {
  /** The map of an instance; empty: it is privileged. */
  Optional<IdMapping> of(Config config) {
    if (config.isTrue(LxcKeys.PRIVILEGED)) {
      return Optional.empty();
    }
    IdMapping base =
        config.isTrue(LxcKeys.ISOLATED)
            ? isolated(config)
            : IdMapping.of(all.base(), shared(config.get(LxcKeys.SIZE).orElse(all.count())));
    return Optional.of(
        config.get(LxcKeys.RAW_IDMAP).map(text -> RawIdMap.parse(text).over(base)).orElse(base));
  }

  private long shared(long size) {
    if (size > all.count()) {
      throw StapesException.invalid(
          LxcKeys.SIZE.name(), "more ids than root may use, " + all.count() + ": " + size);
    }
    return size;
  }

  private IdMapping isolated(Config config) {
    long base =
        config
            .text(LxcKeys.VOLATILE_BASE)
            .map(IdMaps::number)
            .or(() -> config.get(LxcKeys.BASE))
            .orElseThrow(
                () ->
                    new StapesException(
                        StapesException.Kind.INTERNAL, "id map", "nothing was allocated"));
    return IdMapping.of(base, size(config));
  }

  /** What differs between isolated instances: their base. */
  Map<String, String> allocate(Config config, Collection<Config> others) {
    if (config.isTrue(LxcKeys.PRIVILEGED) || !config.isTrue(LxcKeys.ISOLATED)) {
      return config.text(LxcKeys.VOLATILE_BASE).isPresent()
          ? Map.of(LxcKeys.VOLATILE_BASE, "")
          : Map.of();
    }
    Optional<Long> wanted = config.get(LxcKeys.BASE);
    if (wanted.isPresent()) {
      return base(IsolatedIds.at(all, wanted.get(), size(config)));
    }
    List<IsolatedIds> taken = new ArrayList<>();
    for (Config other : others) {
      other
          .text(LxcKeys.VOLATILE_BASE)
          .filter(base -> other.isTrue(LxcKeys.ISOLATED))
          .ifPresent(base -> taken.add(new IsolatedIds(number(base), size(other))));
    }
    Optional<IsolatedIds> before =
        config
            .text(LxcKeys.VOLATILE_BASE)
            .map(base -> new IsolatedIds(number(base), size(config)))
            .filter(ids -> taken.stream().noneMatch(other -> overlap(ids, other)))
            .filter(ids -> ids.base() + ids.size() <= all.base() + all.count());
    return base(before.orElseGet(() -> IsolatedIds.firstFree(all, size(config), taken)));
  }

  private static Map<String, String> base(IsolatedIds ids) {
    return Map.of(LxcKeys.VOLATILE_BASE, Long.toString(ids.base()));
  }

  private static boolean overlap(IsolatedIds a, IsolatedIds b) {
    return a.base() < b.base() + b.size() && b.base() < a.base() + a.size();
  }

  private static long size(Config config) {
    return config.get(LxcKeys.SIZE).orElse(SubordinateIds.LEAST);
  }

  private static long number(String text) {
    try {
      return Long.parseLong(text);
    } catch (NumberFormatException e) {
      throw new StapesException(
          StapesException.Kind.INVALID, LxcKeys.VOLATILE_BASE, "not a number: \"" + text + "\"", e);
    }
  }
}
