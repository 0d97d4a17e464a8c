package dev.stapes.testkit;

import dev.stapes.Stapes;
import java.nio.file.Path;

/**
 * Opens the {@code Stapes} that tests share, for tests that want other drivers, a pool of their own
 * or images. Has a constructor without arguments.
 */
@FunctionalInterface
public interface StapesOpener {
  /**
   * Opens it; also to clean up the root directory of a JVM that was killed.
   *
   * @param root its root directory
   */
  Stapes open(Path root);

  /** With the drivers that are on the class path. */
  final class Usual implements StapesOpener {
    /** For the extension. */
    public Usual() {}

    @Override
    public Stapes open(Path root) {
      return Stapes.open(root);
    }
  }
}
