package dev.stapes.storage.fs;

import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.ConfigKey;
import dev.stapes.model.PoolSpec;
import dev.stapes.spi.Availability;
import dev.stapes.spi.Host;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.spi.StoragePool;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;

/** What all providers of this module do alike. */
abstract class FileProvider implements StorageDriverProvider {
  private final String name;
  private final List<ConfigKey<?>> keys;
  private final Supplier<Syscalls> sys;

  FileProvider(String name, List<ConfigKey<?>> keys, Supplier<Syscalls> sys) {
    this.name = name;
    this.keys = keys;
    this.sys = sys;
  }

  abstract Availability probeKernel(Host host);

  abstract StoragePool create(PoolContext pool);

  abstract StoragePool open(PoolContext pool);

  @Override
  public final String name() {
    return name;
  }

  @Override
  public final Availability probe(Host host) {
    Availability basics = Probes.rootOnLinux(host);
    return basics instanceof Availability.Unavailable ? basics : probeKernel(host);
  }

  @Override
  public final List<ConfigKey<?>> poolKeys() {
    return keys;
  }

  @Override
  public final StoragePool create(Host host, PoolSpec spec, Path directory) {
    PoolContext pool = context(host, spec, directory);
    return Failures.naming(pool.subject(), "cannot be made", () -> create(pool));
  }

  @Override
  public final StoragePool open(Host host, PoolSpec spec, Path directory) {
    PoolContext pool = context(host, spec, directory);
    return Failures.naming(pool.subject(), "cannot be opened", () -> open(pool));
  }

  private PoolContext context(Host host, PoolSpec spec, Path directory) {
    PoolKeys.validate(spec, keys);
    return new PoolContext(host, sys.get(), spec, directory);
  }

  /** The pool's directories, as they were laid out. */
  final PoolDirectory volumes(PoolContext pool, Path root) {
    return PoolDirectory.open(pool.sys(), pool.local(root), root, name, pool.subject());
  }
}
