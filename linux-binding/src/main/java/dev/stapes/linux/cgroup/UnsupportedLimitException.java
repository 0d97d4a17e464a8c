package dev.stapes.linux.cgroup;

import java.util.List;
import java.util.stream.Collectors;

/** Limits were asked of a group that it cannot have; none of the others has been set either. */
public final class UnsupportedLimitException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final transient List<UnsupportedLimit> limits;

  UnsupportedLimitException(String group, List<UnsupportedLimit> limits) {
    super(
        group
            + ": limits not supported: "
            + limits.stream().map(UnsupportedLimit::toString).collect(Collectors.joining("; ")));
    this.limits = List.copyOf(limits);
  }

  /** Returns what cannot be set, at least one. */
  public List<UnsupportedLimit> limits() {
    return limits;
  }
}
