package dev.stapes.lxc;

import dev.stapes.model.StapesException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Which namespaces (namespaces(7)) a container gets of its own, which it keeps from its monitor,
 * and which it shares with somebody else.
 *
 * @param kept those of the monitor, which are the host's; copied
 * @param shared those of another process, by {@code /proc/<pid>/ns/<name>} or another file that
 *     holds one; copied
 */
public record Namespaces(Set<Kind> kept, Map<Kind, Path> shared) {
  private static final Namespaces OWN = new Namespaces(Set.of(), Map.of());

  /** Kinds of namespaces, in liblxc's words. */
  public enum Kind {
    /** Cgroup root directory. */
    CGROUP,
    /** System V IPC, POSIX message queues. */
    IPC,
    /** Mount points. */
    MNT,
    /** Network devices, stacks, ports. */
    NET,
    /** Process ids. */
    PID,
    /** Clocks of boot time. */
    TIME,
    /** User and group ids. */
    USER,
    /** Host name. */
    UTS;

    /** The word in the configuration and below {@code /proc/<pid>/ns}. */
    public String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** Copies; refuses what is kept and shared at once, and what a container must have. */
  public Namespaces {
    EnumSet<Kind> keptCopy = EnumSet.noneOf(Kind.class);
    keptCopy.addAll(kept);
    EnumMap<Kind, Path> sharedCopy = new EnumMap<>(Kind.class);
    sharedCopy.putAll(shared);
    kept = Collections.unmodifiableSet(keptCopy);
    shared = Collections.unmodifiableMap(sharedCopy);
    for (Kind kind : shared.keySet()) {
      if (keptCopy.contains(kind)) {
        throw StapesException.invalid(
            "namespaces", "both kept and shared: \"" + kind.word() + "\"");
      }
    }
    for (Kind kind : List.of(Kind.MNT, Kind.PID)) {
      if (keptCopy.contains(kind)) {
        throw StapesException.invalid(
            "namespaces", "a container needs its own \"" + kind.word() + "\"");
      }
    }
  }

  /** All of its own. */
  public static Namespaces own() {
    return OWN;
  }

  /** The same, but keeping one of the host's. */
  public Namespaces keep(Kind kind) {
    EnumSet<Kind> more = EnumSet.of(kind);
    more.addAll(kept);
    return new Namespaces(more, shared);
  }

  /** The same, but sharing one. */
  public Namespaces share(Kind kind, Path file) {
    EnumMap<Kind, Path> more = new EnumMap<>(Kind.class);
    more.putAll(shared);
    more.put(kind, file);
    return new Namespaces(kept, more);
  }

  void addTo(LxcConfig.Builder config) {
    if (!kept.isEmpty()) {
      config.add(
          "lxc.namespace.keep", kept.stream().map(Kind::word).collect(Collectors.joining(" ")));
    }
    shared.forEach(
        (kind, file) -> config.add("lxc.namespace.share." + kind.word(), file.toString()));
  }
}
