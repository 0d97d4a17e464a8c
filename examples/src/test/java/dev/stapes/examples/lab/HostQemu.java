package dev.stapes.examples.lab;

import dev.stapes.testkit.LabVm;
import dev.stapes.testkit.TestGuest;
import java.io.IOException;
import java.nio.file.Path;

/**
 * This machine's QEMU and its test guest, within the lab VM, which has none: they are shared by
 * virtio-fs, and each program there is a script that starts the one of here. Both are Debian 12.
 */
final class HostQemu {
  /** Where QEMU finds what it needs from where it is itself. */
  private static final String HERE = "/mnt/host";

  private static final String GUEST = "/mnt/guest";
  private static final String LIBRARIES = "/lib/x86_64-linux-gnu";

  private HostQemu() {}

  /**
   * Shares them.
   *
   * @return what a Java there is to be told
   */
  static String share(LabVm lab) throws IOException {
    lab.share("host", Path.of("/usr"), HERE);
    lab.share("guest", TestGuest.find().orElseThrow().directory().toRealPath(), GUEST);
    lab.script(
        "for program in qemu-system-x86_64 qemu-img; do printf '%s\\n' '#!/bin/sh'"
            + " 'LD_LIBRARY_PATH=/usr"
            + LIBRARIES
            + ":"
            + HERE
            + LIBRARIES
            + " exec "
            + HERE
            + "/bin/'$program' \"$@\"' >/usr/bin/$program; chmod 755 /usr/bin/$program;"
            + " $program --version; done");
    return "-Dstapes.guest=" + GUEST;
  }
}
