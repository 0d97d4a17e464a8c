package dev.stapes.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What {@link LabVm} boots, which {@code build-support/labvm.sh} makes of Debian's packages: a
 * kernel with OpenZFS' modules, and a root file system with the tools of ZFS, LVM, Btrfs and XFS
 * and with Java.
 *
 * @param directory where it was built
 */
public record LabImage(Path directory) {
  private static final String PLACE = "target/labvm";

  /** Written last. */
  private static final String KEY = "key";

  /**
   * The one of the system property {@code stapes.labvm}, else of the environment variable {@code
   * STAPES_LABVM}, else {@code target/labvm} of the build that the test belongs to.
   */
  public static Optional<LabImage> find() {
    return BuiltGuest.find("stapes.labvm", "STAPES_LABVM", PLACE, KEY).map(LabImage::new);
  }

  static Optional<String> missing() {
    return find().isPresent()
        ? Optional.empty()
        : Optional.of("no lab VM: build-support/labvm.sh builds " + PLACE);
  }

  /** The metadata of a split image of Incus' format. */
  public Path metadata() {
    return directory.resolve("metadata.tar");
  }

  /** Its disk: a root file system, which is mounted read-only. */
  public Path disk() {
    return directory.resolve("disk.qcow2");
  }

  /** Its kernel. */
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
