package dev.stapes.qemu.driver;

import dev.stapes.spi.Machine.Exit;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** How a machine ended that nobody killed, by the exit code of its emulator. */
final class VmEnd {
  private static final int SIGNALLED = 128;

  private VmEnd() {}

  /**
   * In words.
   *
   * @param reason of the shutdown, where QEMU told one
   */
  static Exit of(int code, @Nullable String reason, VmFiles files) {
    if (code == 0 || code == -1) {
      return new Exit(reason == null ? "ended" : reason, false);
    }
    String how =
        code > SIGNALLED
            ? "killed by signal " + (code - SIGNALLED)
            : "QEMU failed: " + QemuLauncher.complaint(files);
    return new Exit(how, false, OptionalInt.of(code));
  }
}
