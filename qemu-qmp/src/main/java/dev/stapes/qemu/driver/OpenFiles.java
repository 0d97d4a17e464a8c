package dev.stapes.qemu.driver;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** What a process has open: proc_pid_fd(5). */
final class OpenFiles {
  private OpenFiles() {}

  /**
   * Looks once. What is opened or closed meanwhile is in it or not.
   *
   * @param process its directory in {@code /proc}
   * @return the file in {@code /proc} that stands for a descriptor, and what that one points to
   * @throws IOException where the process has ended
   */
  static Map<Path, String> of(Path process) throws IOException {
    Map<Path, String> targets = new LinkedHashMap<>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(process.resolve("fd"))) {
      for (Path descriptor : all) {
        target(descriptor).ifPresent(target -> targets.put(descriptor, target));
      }
    }
    return targets;
  }

  private static Optional<String> target(Path descriptor) throws IOException {
    try {
      return Optional.of(Files.readSymbolicLink(descriptor).toString());
    } catch (NoSuchFileException e) {
      return Optional.empty(); // it was closed meanwhile
    }
  }
}
