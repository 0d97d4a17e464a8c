package dev.stapes.testkit;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Where a script of the build left what it made. */
final class BuiltGuest {
  private BuiltGuest() {}

  /**
   * The directory of a system property, else of an environment variable, else below the build that
   * the test belongs to.
   *
   * @param place below the root of the build
   * @param file that is there when all is
   */
  static Optional<Path> find(String property, String variable, String place, String file) {
    String told =
        System.getProperty(property, Optional.ofNullable(System.getenv(variable)).orElse(""));
    if (!told.isBlank()) {
      return at(Path.of(told), file);
    }
    Path start = Path.of(System.getProperty("stapes.build", "target")).toAbsolutePath();
    for (Path directory = start; directory != null; directory = directory.getParent()) {
      Optional<Path> found = at(directory.resolve(place), file);
      if (found.isPresent()) {
        return found;
      }
    }
    return Optional.empty();
  }

  private static Optional<Path> at(Path directory, String file) {
    return Files.isRegularFile(directory.resolve(file))
        ? Optional.of(directory.toAbsolutePath())
        : Optional.empty();
  }
}
