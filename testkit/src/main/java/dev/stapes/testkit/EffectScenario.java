package dev.stapes.testkit;

import org.jspecify.annotations.Nullable;

/**
 * Something of which every effect may fail, in a world that is made anew for each run.
 *
 * @param <W> the world: what the action works on
 */
public interface EffectScenario<W> {
  /** Makes the world; what that does is not counted. */
  W prepare(Faults faults) throws Exception;

  /** The action whose effects are failed one by one. */
  void act(W world) throws Exception;

  /** The state of the world, compared by {@code equals}: what is left of a failed action shows. */
  Object state(W world) throws Exception;

  /** Takes the world down. */
  void dispose(W world) throws Exception;

  /**
   * Runs the action once to count its effects; then, for each of them, once with that effect
   * failing before it happens, and once with it failing after it happened. An action that throws
   * must leave the state as it was before; one that does not, as it is after a run without faults.
   *
   * @return how many effects the action has
   * @throws AssertionError naming the effect, where the state is another one
   */
  default int forEveryEffect() throws Exception {
    Faults counting = new Faults();
    Object done;
    int effects;
    W world = prepare(counting);
    try {
      counting.count();
      act(world);
      effects = counting.effects();
      done = state(world);
    } finally {
      dispose(world);
    }
    for (int n = 1; n <= effects; n++) {
      once(n, false, done);
      once(n, true, done);
    }
    return effects;
  }

  private void once(int n, boolean after, Object done) throws Exception {
    Faults faults = new Faults();
    W world = prepare(faults);
    try {
      Object before = state(world);
      if (after) {
        faults.failAfterNth(n);
      } else {
        faults.failNth(n);
      }
      Exception thrown = attempt(world);
      String what = (after ? "after" : "at") + " effect " + n + " of " + faults.trace();
      faults.count();
      Object expected = thrown == null ? done : before;
      Object actual = state(world);
      if (!expected.equals(actual)) {
        throw new AssertionError(
            (thrown == null ? "without an error " : "with " + thrown + " ")
                + what
                + ": the state should be\n"
                + expected
                + "\nbut is\n"
                + actual,
            thrown);
      }
    } finally {
      faults.count();
      dispose(world);
    }
  }

  private @Nullable Exception attempt(W world) {
    try {
      act(world);
      return null;
    } catch (Exception e) {
      return e;
    }
  }
}
