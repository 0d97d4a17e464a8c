package dev.stapes.internal.store;

import dev.stapes.model.StapesException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Who promised to be alive until when. Guarded by the store's lock. */
final class Leases {
  private static final Duration SHORTEST = Duration.ofMillis(1);
  private static final Duration LONGEST = Duration.ofDays(365);

  private final InstantSource clock;
  private final Map<Long, Term> terms = new TreeMap<>();
  private long granted;

  private record Term(Duration timeToLive, Instant end) {}

  Leases(InstantSource clock) {
    this.clock = clock;
  }

  long grant(Duration timeToLive) {
    if (timeToLive.compareTo(SHORTEST) < 0 || timeToLive.compareTo(LONGEST) > 0) {
      throw StapesException.invalid(
          "lease", "must be granted for 1 millisecond to 365 days: " + timeToLive);
    }
    granted++;
    terms.put(granted, new Term(timeToLive, clock.instant().plus(timeToLive)));
    return granted;
  }

  void keepAlive(long id) {
    Duration timeToLive = alive(id).timeToLive();
    terms.put(id, new Term(timeToLive, clock.instant().plus(timeToLive)));
  }

  /** Throws NOT_FOUND unless it is alive, though its keys may still be there. */
  void check(long id) {
    alive(id);
  }

  private Term alive(long id) {
    Term term = terms.get(id);
    if (term == null || !term.end().isAfter(clock.instant())) {
      throw new StapesException(
          StapesException.Kind.NOT_FOUND, "lease " + id, "not found: it ran out or was given back");
    }
    return term;
  }

  void forget(long id) {
    terms.remove(id);
  }

  boolean knows(long id) {
    return terms.containsKey(id);
  }

  /** Those that ran out and are not forgotten yet. */
  List<Long> due() {
    if (terms.isEmpty()) {
      return List.of();
    }
    Instant now = clock.instant();
    List<Long> due = new ArrayList<>();
    terms.forEach(
        (id, term) -> {
          if (!term.end().isAfter(now)) {
            due.add(id);
          }
        });
    return due;
  }

  /** How long until the next one runs out; null: there is none. */
  @Nullable Duration next() {
    return terms.values().stream()
        .map(Term::end)
        .min(Instant::compareTo)
        .map(end -> Duration.between(clock.instant(), end))
        .orElse(null);
  }
}
