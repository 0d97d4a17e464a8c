package dev.stapes.internal.engine;

import dev.stapes.model.ConfigSchema;
import dev.stapes.model.InstanceId;
import dev.stapes.model.InstanceKeys;
import dev.stapes.model.InstanceType;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Availability;
import dev.stapes.spi.Host;
import dev.stapes.spi.InstanceDriver;
import dev.stapes.spi.InstanceDriverProvider;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The instance drivers that this machine can run, one per type, opened when first needed. */
final class Drivers implements AutoCloseable {
  private final Host host;
  private final RootDirectory root;
  private final Map<InstanceType, InstanceDriverProvider> providers =
      new EnumMap<>(InstanceType.class);
  private final Map<InstanceType, InstanceDriver> open = new EnumMap<>(InstanceType.class);

  Drivers(Host host, List<InstanceDriverProvider> candidates, RootDirectory root) {
    this.host = host;
    this.root = root;
    for (InstanceDriverProvider provider : candidates) {
      InstanceDriverProvider other = providers.putIfAbsent(provider.type(), provider);
      if (other != null) {
        throw new StapesException(
            StapesException.Kind.CONFLICT,
            "instance driver",
            "two drivers for " + provider.type() + ": " + other.name() + " and " + provider.name());
      }
    }
  }

  /**
   * The driver of a type.
   *
   * @throws StapesException UNAVAILABLE, with what is missing and how to mend it
   */
  synchronized InstanceDriver of(InstanceType type) {
    InstanceDriver driver = open.get(type);
    if (driver == null) {
      driver = open(type);
      open.put(type, driver);
    }
    return driver;
  }

  /** Whether a type can be run here, and if not, why. */
  Availability probe(InstanceType type) {
    InstanceDriverProvider provider = providers.get(type);
    return provider == null
        ? Availability.unavailable(
            "no driver for " + type + " instances",
            "add the artifact stapes-"
                + (type == InstanceType.CONTAINER ? "lxc-binding" : "qemu-qmp"))
        : provider.probe(host);
  }

  /** The keys of an instance of a type. */
  ConfigSchema schema(InstanceType type) {
    return InstanceKeys.SCHEMA.and(of(type).configKeys());
  }

  /** Removes what crashes left of instances that nobody knows. */
  void collect(InstanceType type, Set<InstanceId> known) {
    of(type).collect(known);
  }

  private InstanceDriver open(InstanceType type) {
    probe(type).orThrow(type + " driver");
    InstanceDriverProvider provider = providers.get(type);
    if (provider == null) {
      throw new IllegalStateException("a type without a provider is unavailable: " + type);
    }
    Path directory = root.run().resolve(provider.name());
    try {
      Files.createDirectories(directory);
      return provider.open(
          host, new InstanceDriverProvider.Scope(directory.toRealPath(), root.logs(), root.tag()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public synchronized void close() {
    open.values().forEach(InstanceDriver::close);
    open.clear();
  }
}
