package dev.stapes.benchmarks;

/** A lane whose subject measures by itself: what else {@link #run} takes is not its time. */
public interface SelfTimed extends Lane {
  /** What the last run took. */
  long nanos();
}
