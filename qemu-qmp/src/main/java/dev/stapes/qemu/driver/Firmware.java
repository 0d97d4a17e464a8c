package dev.stapes.qemu.driver;

import dev.stapes.model.Config;
import dev.stapes.model.StapesException;
import java.nio.file.Path;
import java.util.Optional;

/** What a virtual machine executes first. */
sealed interface Firmware {
  /**
   * A kernel, as if a boot loader had loaded it.
   *
   * @param kernel on the host
   * @param initrd on the host
   * @param arguments of the kernel
   */
  record Kernel(Path kernel, Optional<Path> initrd, String arguments) implements Firmware {}

  /**
   * UEFI, which keeps its variables in a file of the instance.
   *
   * @param secure whether it starts only what is signed
   */
  record Uefi(boolean secure) implements Firmware {}

  /** The BIOS of old. */
  record Bios() implements Firmware {}

  /**
   * What a config asks for.
   *
   * @throws StapesException INVALID where its keys contradict each other
   */
  static Firmware of(Config config) {
    Optional<String> kernel = config.get(QemuKeys.KERNEL);
    Optional<String> initrd = config.get(QemuKeys.INITRD);
    String arguments = config.get(QemuKeys.KERNEL_ARGUMENTS).orElse("");
    boolean bios = config.isTrue(QemuKeys.CSM);
    if (kernel.isPresent()) {
      if (bios) {
        throw contradiction(QemuKeys.CSM.name(), "no firmware is used with qemu.kernel");
      }
      return new Kernel(
          hostPath(QemuKeys.KERNEL.name(), kernel.get()),
          initrd.map(path -> hostPath(QemuKeys.INITRD.name(), path)),
          arguments);
    }
    if (initrd.isPresent()) {
      throw contradiction(QemuKeys.INITRD.name(), "needs qemu.kernel");
    }
    if (!arguments.isEmpty()) {
      throw contradiction(QemuKeys.KERNEL_ARGUMENTS.name(), "needs qemu.kernel");
    }
    if (config.get(QemuKeys.MACHINE).orElse("").equals("microvm")) {
      throw contradiction(QemuKeys.MACHINE.name(), "microvm needs qemu.kernel");
    }
    boolean secure = config.isTrue(QemuKeys.SECUREBOOT);
    if (bios && secure) {
      throw contradiction(QemuKeys.CSM.name(), "needs security.secureboot=false");
    }
    return bios ? new Bios() : new Uefi(secure);
  }

  private static Path hostPath(String key, String text) {
    if (!text.startsWith("/") || text.indexOf('\0') >= 0) {
      throw StapesException.invalid(
          "config key " + key, "must be an absolute path: \"" + text + "\"");
    }
    return Path.of(text);
  }

  private static StapesException contradiction(String key, String why) {
    return StapesException.invalid("config key " + key, why);
  }
}
