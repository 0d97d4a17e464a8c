package dev.stapes.qemu.driver;

import dev.stapes.model.StapesException;
import java.util.List;
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
    if (first != null) {
      throw first;
    }
  }
}
