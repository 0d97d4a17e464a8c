package dev.stapes.storage.lvm;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;

/** Whether the kernel has device-mapper with certain targets, or modules for them. */
final class ThinKernel {
  private static final String THIN = "dm_thin_pool";
  private static final String SNAPSHOT = "dm_snapshot";

  private ThinKernel() {}

  /**
   * Looks for thin pools.
   *
   * @param root of the machine's files
   * @param release of the kernel
   */
  static boolean has(Path root, String release) {
    return has(root, release, THIN);
  }

  /** The same for snapshots of volumes that are not thin. */
  static boolean hasSnapshots(Path root, String release) {
    return has(root, release, SNAPSHOT);
  }

  private static boolean has(Path root, String release, String module) {
    if (Files.exists(root.resolve("sys/module").resolve(module))) {
      return true;
    }
    Pattern line =
        Pattern.compile(
            "(?m)^(?:.*/)?" + module.replace("_", "[-_]") + "\\.ko(?:\\.[a-z]+)?(?::.*)?$");
    Path modules = root.resolve("lib/modules").resolve(release);
    return List.of("modules.dep", "modules.builtin").stream()
        .anyMatch(file -> line.matcher(text(modules.resolve(file))).find());
  }

  private static String text(Path file) {
    try {
      return Files.isReadable(file) ? Files.readString(file) : "";
    } catch (IOException e) {
      return ""; // what cannot be read promises nothing
    }
  }
}
