package dev.stapes.qemu.driver;

import dev.stapes.linux.Fd;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.nio.file.Path;
import java.util.Set;

/**
 * Sockets between guests and their host, vsock(7), where the host has them: a machine has one then
 * and none elsewhere, and nobody has to ask for it.
 *
 * @param device of the kernel's vhost
 */
record Vsock(Syscalls sys, Path device) {
  /** The device of QEMU. */
  static final String ID = "vsock";

  /** Whether the host has them, and can be asked for one. */
  boolean isUsable() {
    try {
      Fd.open(sys, device, Set.of(OpenFlag.READ, OpenFlag.WRITE)).close();
      return true;
    } catch (LinuxException e) {
      return false;
    }
  }

  /**
   * Fails where the host has none for a machine that must have one: it goes on as one that had it.
   *
   * @throws StapesException UNAVAILABLE, with what to do
   */
  void require(String subject) {
    if (!isUsable()) {
      throw new StapesException(
          Kind.UNAVAILABLE,
          subject,
          "it was started with a vsock, and "
              + device
              + " cannot be opened: load the module vhost_vsock");
    }
  }
}
