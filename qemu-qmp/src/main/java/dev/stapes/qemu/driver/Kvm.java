package dev.stapes.qemu.driver;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;

/** The kernel's own virtual machines. */
final class Kvm {
  private static final Path DEVICE = Path.of("/dev/kvm");

  private Kvm() {}

  /** The group that may use them. */
  static OptionalLong group() {
    try {
      return OptionalLong.of(((Number) Files.getAttribute(DEVICE, "unix:gid")).longValue());
    } catch (IOException e) {
      return OptionalLong.empty();
    }
  }
}
