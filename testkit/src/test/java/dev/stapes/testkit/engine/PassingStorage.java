package dev.stapes.testkit.engine;

import dev.stapes.model.ConfigKey;
import dev.stapes.model.PoolSpec;
import dev.stapes.spi.Availability;
import dev.stapes.spi.Host;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.spi.StoragePool;
import java.nio.file.Path;
import java.util.List;

/** A storage driver that does what another one does, but for what a subclass says. */
abstract class PassingStorage implements StorageDriverProvider {
  private final StorageDriverProvider real;

  PassingStorage(StorageDriverProvider real) {
    this.real = real;
  }

  @Override
  public String name() {
    return real.name();
  }

  @Override
  public Availability probe(Host host) {
    return real.probe(host);
  }

  @Override
  public List<ConfigKey<?>> poolKeys() {
    return real.poolKeys();
  }

  @Override
  public StoragePool create(Host host, PoolSpec spec, Path directory) {
    return real.create(host, spec, directory);
  }

  @Override
  public StoragePool open(Host host, PoolSpec spec, Path directory) {
    return real.open(host, spec, directory);
  }

  @Override
  public void sweep(Host host, PoolSpec spec, Path directory, Unfinished what) {
    real.sweep(host, spec, directory, what);
  }
}
