package dev.stapes.benchmarks.lifecycle;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;

/**
 * What Stapes has to reach.
 *
 * @param what in words
 * @param measured the figure and the most or least that it may be, where there are both
 */
record Target(String what, Function<Results, Optional<Verdict>> measured) {
  private static final double LEAST_CYCLES_PER_SECOND = 100;
  private static final double MOST_OUTSIDE_KIB = 1024;
  private static final double MOST_WARM_MS = 3;

  /**
   * How it went.
   *
   * @param figure what was measured
   * @param bound what it had to be
   * @param reached whether it is
   */
  record Verdict(String figure, String bound, boolean reached) {}

  /** All of them. */
  static List<Target> all() {
    return List.of(
        ratio("full cycle, Btrfs pool", LifecyclePath.CYCLE, "stapes", "incus-rest", 1 / 20.0),
        ratio(
            "full cycle, overlay pool",
            LifecyclePath.CYCLE,
            "stapes-overlay",
            "incus-rest",
            1 / 25.0),
        ratio("full cycle", LifecyclePath.CYCLE, "stapes", "by-hand", 1.25),
        new Target("cycle from a warm pool: 3 ms or 1/4 of the cold cycle", Target::warm),
        ratio("exec", LifecyclePath.EXEC, "stapes", "incus-rest", 1 / 12.0),
        ratio("exec", LifecyclePath.EXEC, "stapes", "lxc-cli", 1 / 5.0),
        ratio("snapshot", LifecyclePath.SNAPSHOT, "stapes", "incus-rest", 1 / 10.0),
        ratio("clone", LifecyclePath.CLONE, "stapes", "incus-rest", 1 / 10.0),
        ratio(
            "restore of a running one",
            LifecyclePath.RESTORE_RUNNING,
            "stapes",
            "incus-rest",
            1 / 10.0),
        ratio(
            "delete of a running one",
            LifecyclePath.DELETE_RUNNING,
            "stapes",
            "incus-rest",
            1 / 25.0),
        new Target("full cycles per second, the best number of threads", Target::throughput),
        new Target("private dirty memory outside of a running container", Target::memory));
  }

  private static Target ratio(
      String what, LifecyclePath path, String subject, String peer, double most) {
    String bound =
        most < 1
            ? "1/" + Math.round(1 / most) + " of " + peer
            : String.format(Locale.ROOT, "%.2f x %s", most, peer);
    return new Target(
        what + ": " + subject + " at most " + bound,
        results -> {
          Optional<Double> own = results.median(path, subject);
          Optional<Double> other = results.median(path, peer);
          if (own.isEmpty() || other.isEmpty()) {
            return Optional.empty();
          }
          double limit = other.get() * most;
          return Optional.of(
              new Verdict(millis(own.get()), "<= " + millis(limit), own.get() <= limit));
        });
  }

  private static Optional<Verdict> warm(Results results) {
    Optional<Double> own = results.median(LifecyclePath.CYCLE_WARM_POOL, "stapes");
    Optional<Double> cold = results.median(LifecyclePath.CYCLE, "stapes");
    return own.map(
        ms -> {
          double limit = Math.max(MOST_WARM_MS, cold.orElse(0.0) / 4);
          return new Verdict(millis(ms), "<= " + millis(limit), ms <= limit);
        });
  }

  private static Optional<Verdict> throughput(Results results) {
    return results.throughput().stream()
        .filter(each -> each.subject().equals("stapes"))
        .map(BackToBack.Throughput::perSecond)
        .max(Double::compare)
        .map(
            best ->
                new Verdict(
                    String.format(Locale.ROOT, "%.0f", best),
                    ">= " + Math.round(LEAST_CYCLES_PER_SECOND),
                    best >= LEAST_CYCLES_PER_SECOND));
  }

  private static Optional<Verdict> memory(Results results) {
    return results.memory().stream()
        .filter(cost -> cost.subject().equals("stapes"))
        .findFirst()
        .map(
            cost ->
                new Verdict(
                    cost.outsideKib() + " KiB",
                    "<= " + Math.round(MOST_OUTSIDE_KIB) + " KiB",
                    cost.outsideKib() <= MOST_OUTSIDE_KIB));
  }

  private static String millis(double ms) {
    return String.format(Locale.ROOT, "%.2f ms", ms);
  }
}
