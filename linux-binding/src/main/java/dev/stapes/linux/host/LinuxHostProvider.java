package dev.stapes.linux.host;

import dev.stapes.linux.Kernel;
import dev.stapes.linux.Kernel.Feature;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.spi.Availability;
import dev.stapes.spi.Host;
import dev.stapes.spi.HostProvider;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Opens the Linux machine that the JVM runs on.
 *
 * <p>While an operation is in flight ({@link Host#busy}) the host keeps the kernel's path for
 * moving processes between cgroups warm, by one write of 25 microseconds every 8 ms; see {@link
 * #withoutTicker}.
 */
public final class LinuxHostProvider implements HostProvider {
  /** Set to {@code off} it has the effect of {@link #withoutTicker} for every host. */
  public static final String TICKER_PROPERTY = "stapes.linux.ticker";

  private final boolean ticker;

  /** For the service loader, and to be given to a builder. */
  public LinuxHostProvider() {
    this(true);
  }

  private LinuxHostProvider(boolean ticker) {
    this.ticker = ticker;
  }

  /**
   * A provider whose hosts leave cgroups alone while idle and while busy. Starting a container then
   * takes 6 to 16 ms longer, unless cgroups are mounted with {@code favordynmods}.
   */
  public LinuxHostProvider withoutTicker() {
    return new LinuxHostProvider(false);
  }

  @Override
  public String name() {
    return "linux";
  }

  @Override
  public Availability probe() {
    Optional<String> broken = Syscalls.unavailable();
    if (broken.isPresent()) {
      return Availability.unavailable(
          "the C library cannot be called: " + broken.get(),
          "run on Linux on x86_64 or aarch64, with the jnr-ffi jars and their native library");
    }
    Kernel kernel = new Kernel(Syscalls.system());
    List<String> missing = new ArrayList<>();
    for (Feature feature : List.of(Feature.OPENAT2, Feature.PIDFD, Feature.MOUNT_TREES)) {
      if (!kernel.has(feature)) {
        missing.add(feature.name());
      }
    }
    return missing.isEmpty()
        ? Availability.available()
        : Availability.unavailable(
            "Linux " + kernel.release() + " has no " + String.join(", ", missing),
            "run Linux 5.10 or newer");
  }

  @Override
  public Host open() {
    probe().orThrow("linux host");
    boolean on = ticker && !"off".equals(System.getProperty(TICKER_PROPERTY));
    return LinuxHost.open(Syscalls.system(), on);
  }
}
