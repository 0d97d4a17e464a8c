package dev.stapes.storage.fs;

import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.spi.Availability;
import dev.stapes.spi.Host;
import java.util.Optional;

/** What all drivers need. */
final class Probes {
  private Probes() {}

  static Availability rootOnLinux(Host host) {
    Optional<String> library = Syscalls.unavailable();
    if (library.isPresent()) {
      return Availability.unavailable(library.get(), "run on Linux with glibc");
    }
    return host.facts().root()
        ? Availability.available()
        : Availability.unavailable("not root", "run as root");
  }
}
