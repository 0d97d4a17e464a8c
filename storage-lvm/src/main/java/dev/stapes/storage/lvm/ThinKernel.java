package dev.stapes.storage.lvm;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;

/** Whether the kernel has device-mapper with thin pools, or modules for them. */
final class ThinKernel {
  private static final Pattern MODULE =
      Pattern.compile("(?m)^(?:.*/)?dm[-_]thin[-_]pool\\.ko(?:\\.[a-z]+)?(?::.*)?$");

  private ThinKernel() {}

  /**
   * Looks.
   *
   * @param root of the machine's files
   * @param release of the kernel
   */
  static boolean has(Path root, String release) {
    if (Files.exists(root.resolve("sys/module/dm_thin_pool"))) {
      return true;
    }
    Path modules = root.resolve("lib/modules").resolve(release);
    return List.of("modules.dep", "modules.builtin").stream()
        .anyMatch(file -> MODULE.matcher(text(modules.resolve(file))).find());
  }

  private static String text(Path file) {
    try {
      return Files.isReadable(file) ? Files.readString(file) : "";
    } catch (IOException e) {
      return ""; // what cannot be read promises nothing
    }
  }
}
