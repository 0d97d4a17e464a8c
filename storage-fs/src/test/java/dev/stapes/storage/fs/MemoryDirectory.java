package dev.stapes.storage.fs;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Empty directories on the tmpfs that every Linux has; they go with the JVM. */
final class MemoryDirectory {
  private static final Path SHARED_MEMORY = Path.of("/dev/shm");

  private MemoryDirectory() {}

  static Path make() {
    try {
      Path made = Files.createTempDirectory(SHARED_MEMORY, "stapes-test").toRealPath();
      made.toFile().deleteOnExit();
      return made;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
