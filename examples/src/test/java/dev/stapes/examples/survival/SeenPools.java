package dev.stapes.examples.survival;

import dev.stapes.model.ConfigKey;
import dev.stapes.model.PoolSpec;
import dev.stapes.spi.Availability;
import dev.stapes.spi.Host;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.VolumeId;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;

/** A storage driver whose pools can be looked at behind the engine's back. */
final class SeenPools implements StorageDriverProvider {
  private final StorageDriverProvider driver;
  private final ConcurrentHashMap<String, StoragePool> pools = new ConcurrentHashMap<>();

  SeenPools(String driver) {
    this.driver = Found.of(StorageDriverProvider.class, driver);
  }

  /** How many volumes of a kind are in a pool, whether anybody knows of them or not. */
  long count(String pool, VolumeId.Kind kind) {
    return Objects.requireNonNull(pools.get(pool), pool).list(kind).size();
  }

  @Override
  public String name() {
    return driver.name();
  }

  @Override
  public Availability probe(Host host) {
    return driver.probe(host);
  }

  @Override
  public List<ConfigKey<?>> poolKeys() {
    return driver.poolKeys();
  }

  @Override
  public StoragePool create(Host host, PoolSpec spec, Path directory) {
    StoragePool pool = driver.create(host, spec, directory);
    pools.put(spec.name(), pool);
    return pool;
  }

  @Override
  public void sweep(Host host, PoolSpec spec, Path directory, Unfinished what) {
    driver.sweep(host, spec, directory, what);
  }

  @Override
  public StoragePool open(Host host, PoolSpec spec, Path directory) {
    StoragePool pool = driver.open(host, spec, directory);
    pools.put(spec.name(), pool);
    return pool;
  }
}
