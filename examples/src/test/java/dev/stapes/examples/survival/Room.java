package dev.stapes.examples.survival;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stapes.testkit.HostLeftovers;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * An empty directory for each test, that containers can pass through; nothing that belongs to it
 * may be left on the machine.
 */
final class Room implements BeforeEachCallback, AfterEachCallback {
  private static final AtomicInteger COUNT = new AtomicInteger();

  private Path path = Path.of("");

  @Override
  public void beforeEach(ExtensionContext context) throws IOException {
    String name =
        "survival-" + ProcessHandle.current().pid() + "-" + COUNT.incrementAndGet() + "-it";
    path =
        Files.createDirectories(
                Path.of(System.getProperty("stapes.build", "target"))
                    .toAbsolutePath()
                    .resolve(name))
            .toRealPath();
  }

  Path path() {
    return path;
  }

  Path resolve(String name) {
    return path.resolve(name);
  }

  @Override
  public void afterEach(ExtensionContext context) throws IOException {
    assertEquals(Set.of(), HostLeftovers.of(path), "left on the machine");
    Files.walkFileTree(
        path,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
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
        });
  }
}
