package dev.stapes.storage.fs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Which file systems the kernel has, or has a module for. */
final class KernelFileSystems {
  private KernelFileSystems() {}

  /** Whether mount(2) can be expected to work: it loads a module by itself. */
  static boolean has(String type, String kernel) {
    return lines(Path.of("/proc/filesystems")).stream().anyMatch(line -> line.endsWith("\t" + type))
        || lines(Path.of("/lib/modules", kernel, "modules.dep")).stream()
            .anyMatch(line -> line.contains("/" + type + ".ko"));
  }

  private static List<String> lines(Path file) {
    try {
      return Files.isReadable(file) ? Files.readAllLines(file) : List.of();
    } catch (IOException e) {
      return List.of(); // what cannot be read promises nothing
    }
  }
}
