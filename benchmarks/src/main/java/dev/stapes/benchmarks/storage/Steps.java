package dev.stapes.benchmarks.storage;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Things that are all done, whatever becomes of the others. */
final class Steps {
  private Steps() {}

  /** Does them in turn, then throws the first failure with the others in it. */
  static void all(List<Runnable> steps) {
    @Nullable RuntimeException failure = null;
    for (Runnable step : steps) {
      try {
        step.run();
      } catch (RuntimeException e) {
        if (failure == null) {
          failure = e;
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
