package dev.stapes.qemu.driver;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

/**
 * A build of OVMF, UEFI for virtual machines.
 *
 * @param code the firmware, which all machines share
 * @param variables what a machine's own begin as
 */
record Ovmf(Path code, Path variables) {
  /** Where distributions have them, the ones with most space for variables first. */
  private static final List<Ovmf> SECURE =
      List.of(
          of("/usr/share/OVMF/", "OVMF_CODE_4M.secboot.fd", "OVMF_VARS_4M.ms.fd"),
          of("/usr/share/edk2/ovmf/", "OVMF_CODE.secboot.fd", "OVMF_VARS.secboot.fd"),
          of("/usr/share/OVMF/", "OVMF_CODE.secboot.fd", "OVMF_VARS.ms.fd"));

  private static final List<Ovmf> OPEN =
      List.of(
          of("/usr/share/OVMF/", "OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd"),
          of("/usr/share/edk2/ovmf/", "OVMF_CODE.fd", "OVMF_VARS.fd"),
          of("/usr/share/edk2/x64/", "OVMF_CODE.4m.fd", "OVMF_VARS.4m.fd"),
          of("/usr/share/OVMF/", "OVMF_CODE.fd", "OVMF_VARS.fd"));

  private static Ovmf of(String directory, String code, String variables) {
    return new Ovmf(Path.of(directory, code), Path.of(directory, variables));
  }

  /**
   * The one of this machine.
   *
   * @param secure whether it starts only what is signed
   * @throws StapesException UNAVAILABLE where there is none
   */
  static Ovmf of(boolean secure) {
    return (secure ? SECURE : OPEN)
        .stream()
            .filter(each -> Files.exists(each.code) && Files.exists(each.variables))
            .findFirst()
            .orElseThrow(
                () ->
                    new StapesException(
                        Kind.UNAVAILABLE,
                        "qemu driver",
                        "no UEFI"
                            + (secure ? " with secure boot" : "")
                            + " found: install the package ovmf"));
  }

  /** Gives a machine variables of its own, where it has none. */
  void prepareVariables(Path file) throws IOException {
    if (Files.exists(file)) {
      return;
    }
    Path part = file.resolveSibling(file.getFileName() + ".part");
    try {
      Files.copy(variables, part, StandardCopyOption.REPLACE_EXISTING);
      Files.setPosixFilePermissions(part, PosixFilePermissions.fromString("rw-------"));
      Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      Files.deleteIfExists(part);
      throw e;
    }
  }
}
