package dev.stapes.qemu.driver;

import dev.stapes.model.StapesException;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Steps that do not need one another: where one fails the others are done all the same. */
final class Settlement {
  private Settlement() {}

  /**
   * Does all of them.
   *
   * @throws StapesException the first that failed, with the others
   */
  static void all(List<Runnable> steps) {
    Optional<StapesException> failure = failureOf(steps);
    if (failure.isPresent()) {
      throw failure.get();
    }
  }

  /** Does all of them; the answer is the first failure, with the others. */
  static Optional<StapesException> failureOf(List<Runnable> steps) {
    @Nullable StapesException first = null;
    for (Runnable step : steps) {
      try {
        step.run();
      } catch (StapesException e) {
        if (first == null) {
          first = e;
        } else {
          first.addSuppressed(e);
        }
      }
    }
    return Optional.ofNullable(first);
  }
}
