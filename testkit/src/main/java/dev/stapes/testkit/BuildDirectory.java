package dev.stapes.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import org.jspecify.annotations.Nullable;

/** Where tests put what they make. Never instantiated. */
final class BuildDirectory {
  private BuildDirectory() {}

  /** The build directory of the project that is tested. */
  static Path find() {
    String told = System.getProperty("stapes.build", "");
    if (!told.isEmpty()) {
      return Path.of(told).toAbsolutePath();
    }
    for (String name : new String[] {"target", "build"}) {
      Path directory = Path.of(name).toAbsolutePath();
      if (Files.isDirectory(directory)) {
        return directory;
      }
    }
    return Path.of(System.getProperty("java.io.tmpdir")).toAbsolutePath();
  }

  /** Where root directories go; not the build directory if not everybody may pass through it. */
  static Path forRoots() {
    String told = System.getProperty("stapes.testkit.root", "");
    if (!told.isEmpty()) {
      return Path.of(told).toAbsolutePath();
    }
    Path build = find();
    // The root of an unprivileged instance is some other user outside.
    return (isPassable(build) ? build : Path.of("/var/tmp")).resolve("stapes-testkit");
  }

  /** Makes a directory; one that exists already is as good. */
  static Path make(Path directory) {
    try {
      return Files.createDirectories(directory).toRealPath();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Removes a directory with all that is in it; links are not followed. */
  static void remove(Path directory) {
    if (!Files.exists(directory)) {
      return;
    }
    try {
      Files.walkFileTree(directory, new Removal());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static boolean isPassable(Path directory) {
    try {
      for (Path each = directory; each != null; each = each.getParent()) {
        if (Files.exists(each)
            && !Files.getPosixFilePermissions(each).contains(PosixFilePermission.OTHERS_EXECUTE)) {
          return false;
        }
      }
      return true;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static final class Removal extends SimpleFileVisitor<Path> {
    @Override
    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
      Files.delete(file);
      return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException error)
        throws IOException {
      if (error != null) {
        throw error;
      }
      Files.delete(directory);
      return FileVisitResult.CONTINUE;
    }
  }
}
