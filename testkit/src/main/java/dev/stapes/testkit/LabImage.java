package dev.stapes.testkit;

import java.nio.file.Path;
import java.util.Optional;

/**
 * What {@link LabVm} boots, which {@code build-support/labvm.sh} makes of Debian's packages: a
 * kernel with OpenZFS' modules, and a root file system with the tools of ZFS, LVM, Btrfs and XFS
 * and with Java, which is mounted read-only.
 *
 * @param directory where it was built
 */
public record LabImage(Path directory) implements GuestImage {
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
}
