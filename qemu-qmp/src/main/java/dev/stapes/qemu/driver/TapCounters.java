package dev.stapes.qemu.driver;

import dev.stapes.model.InstanceState.NetworkCounters;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** What went through the host's end of an interface; sysfs-class-net-statistics of Linux's ABI. */
final class TapCounters {
  private TapCounters() {}

  /** Of an interface, as its guest sees it; empty where the host does not have it here. */
  static Optional<NetworkCounters> of(HostRoot root, String hostName) {
    Path counters = root.interfaces().resolve(hostName).resolve("statistics");
    try {
      return Optional.of(
          new NetworkCounters(
              read(counters, "tx_bytes"),
              read(counters, "tx_packets"),
              read(counters, "rx_bytes"),
              read(counters, "rx_packets")));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  private static long read(Path counters, String name) throws IOException {
    return Long.parseUnsignedLong(Files.readString(counters.resolve(name)).strip());
  }
}
