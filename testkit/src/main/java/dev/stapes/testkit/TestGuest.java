package dev.stapes.testkit;

import java.nio.file.Path;
import java.util.Optional;

/**
 * A small virtual machine for tests, with qemu-guest-agent, that {@code build-support/guest.sh}
 * makes of Debian's packages: busybox, and a root file system of 256 MiB. It boots in seconds even
 * where it is emulated. UEFI boots its disk, too: that is signed with the snakeoil key of OVMF.
 *
 * @param directory where it was built
 */
public record TestGuest(Path directory) implements GuestImage {
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
}
