package dev.stapes.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A small virtual machine for tests, with qemu-guest-agent, that {@code build-support/guest.sh}
 * makes of Debian's packages: busybox, and a root file system of 256 MiB. It boots in seconds even
 * where it is emulated.
 *
 * @param directory where it was built
 */
public record TestGuest(Path directory) {
  private static final String PLACE = "target/guest";
  private static final String DISK = "disk.qcow2";

  /**
   * The one of the system property {@code stapes.guest}, else of the environment variable {@code
   * STAPES_GUEST}, else {@code target/guest} of the build that the test belongs to.
   */
  public static Optional<TestGuest> find() {
    return BuiltGuest.find("stapes.guest", "STAPES_GUEST", PLACE, DISK).map(TestGuest::new);
  }

  static Optional<String> missing() {
    return find().isPresent()
        ? Optional.empty()
        : Optional.of("no test guest: build-support/guest.sh " + PLACE + " builds it");
  }

  /** The metadata of a split image of Incus' format. */
  public Path metadata() {
    return directory.resolve("metadata.tar");
  }

  /** Its disk: UEFI boots it, signed with the snakeoil key of OVMF. */
  public Path disk() {
    return directory.resolve(DISK);
  }

  /** Its kernel, in the form that starts fastest. */
  public Path kernel() {
    return directory.resolve("vmlinux");
  }

  /** The initramfs of its kernel. */
  public Path initrd() {
    return directory.resolve("initramfs");
  }

  /** The arguments of its kernel. */
  public String kernelArguments() {
    try {
      return Files.readString(directory.resolve("cmdline")).strip();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
